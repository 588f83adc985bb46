package main

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bluegreen-dev/kubectl-bluegreen/plugin/plugintest"
)

// TestMain lets the scripts run this very program, under both of its names.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"kubectl-bluegreen":          main,
		"kubectl_complete-bluegreen": main,
	})
}

// TestScripts drives the program the way a person does: by its arguments,
// its environment and its exit code.
func TestScripts(t *testing.T) {
	testscript.Run(t, plugintest.Params(filepath.Join("..", "..", "plugin", "testdata", "script"), nil))
}
