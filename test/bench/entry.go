package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/compile"
)

// entry is what the Action costs before its engine starts: whole processes, the
// engine alone and the engine by the Action's entry, in turn, with a tool cache that
// has it.
type entry struct {
	alone, through []time.Duration
	// engine is the size of the engine, which is verified at every start, in bytes.
	engine int64
}

// released is the version that the entry is given pins of.
const released = "v0.0.0"

// entries times both, run by run. A post part that has nothing to finish ends at
// once, so that what is timed is the way to it.
func entries(ctx context.Context, source string, runs int) (entry, error) {
	folder, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return entry{}, err
	}
	defer os.RemoveAll(folder)
	target := runtime.GOOS + "_" + runtime.GOARCH
	engine := filepath.Join(folder, "cache", "kubectl-bluegreen", released, target, "bluegreen-action")
	if err := os.MkdirAll(filepath.Dir(engine), 0o755); err != nil {
		return entry{}, err
	}
	if err := compile.Stripped(ctx, source, "./cmd/bluegreen-action", engine); err != nil {
		return entry{}, err
	}
	action := filepath.Join(folder, "action")
	if err := os.CopyFS(filepath.Join(action, "entry"), os.DirFS(filepath.Join(source, "action", "entry"))); err != nil {
		return entry{}, err
	}
	measured := entry{}
	if measured.engine, err = pin(filepath.Join(action, "archives.json"), target, engine); err != nil {
		return measured, err
	}
	environment := append(os.Environ(), "RUNNER_TOOL_CACHE="+filepath.Join(folder, "cache"), "STATE_engine=started")
	for run := range runs + 1 {
		alone, err := timedIn(ctx, environment, engine, "post")
		if err != nil {
			return measured, err
		}
		through, err := timedIn(ctx, environment, "node", filepath.Join(action, "entry", "post.js"))
		if err != nil {
			return measured, err
		}
		if run > 0 { // the first fills the page cache
			measured.alone, measured.through = append(measured.alone, alone), append(measured.through, through)
		}
	}
	return measured, nil
}

// pin writes the pins of an engine that lies in the cache, and returns its size.
func pin(file, target, engine string) (int64, error) {
	program, err := os.ReadFile(engine)
	if err != nil {
		return 0, err
	}
	sum := sha256.Sum256(program)
	text, err := json.Marshal(map[string]any{"version": released, "archives": map[string]any{target: map[string]string{"engine": hex.EncodeToString(sum[:])}}})
	if err != nil {
		return 0, err
	}
	return int64(len(program)), os.WriteFile(file, text, 0o600)
}

// text is what was measured, for people.
func (e entry) text() string {
	alone, through := slices.Sorted(slices.Values(e.alone)), slices.Sorted(slices.Values(e.through))
	return fmt.Sprintf("\n## The Action before its engine\n\nWith a warm tool cache, %d runs each: the engine alone ends after %s (median), and after %s when `action/entry` starts it,\n"+
		"which is %s for Node.js and for the SHA-256 of the %d MiB of the engine, which is taken at every start.\n",
		len(alone), short(median(alone)), short(median(through)), short(median(through)-median(alone)), e.engine>>20)
}
