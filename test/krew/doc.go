// Package krew installs the plugin with the real krew, from .krew.yaml as
// krew-release-bot renders it and from an archive as a release has it.
package krew
