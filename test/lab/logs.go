package lab

import "github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"

// Logs is the program of a store of logs, Loki. Nothing of it runs in a lab: the
// tests that read logs start it themselves.
const Logs Addon = "logs"

// logs is what it is made of.
func logs() parts {
	return parts{addon: Logs, sets: []programs.Set{programs.Loki()}}
}
