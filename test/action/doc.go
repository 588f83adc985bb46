// Package action tests what of the Action is no Go: action.yml, and the entry
// that finds, verifies and starts the engine, under the Node.js of this
// machine. A server on loopback stands for the releases, and a script for the
// engine. Its program mirror has the entry fetch a real one.
package action
