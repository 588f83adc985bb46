// Package loki holds the checks of logs against a real Loki, which each test
// starts on loopback and fills with streams as a collector of logs would. No
// cluster is needed: what is asked of one is answered here.
package loki
