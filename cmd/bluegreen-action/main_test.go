package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bluegreen-dev/kubectl-bluegreen/plugin/plugintest"
)

// TestMain lets the scripts run this very program.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bluegreen-action": main})
}

// TestScripts plays the environments that a runner gives the program.
func TestScripts(t *testing.T) {
	params := plugintest.Params(filepath.Join("..", "..", "action", "testdata", "script"), map[string]plugintest.Command{
		"runner":   runner,
		"github":   github,
		"requests": requests,
		"deaf":     deaf,
		"unasked":  unasked,
		"fill":     fill,
		"count":    count,
		"unveiled": unveiled,
	})
	params.Condition = func(condition string) (bool, error) {
		return condition == "netns" && exec.Command("unshare", "-r", "-n", "true").Run() == nil, nil
	}
	testscript.Run(t, params)
}
