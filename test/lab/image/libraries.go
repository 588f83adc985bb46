package image

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

// library matches the path in a line of ldd's output, with or without a name
// before it: "libc.so.6 => /lib/…/libc.so.6 (0x…)", "/lib64/ld-linux… (0x…)".
var library = regexp.MustCompile(`(?:^|=>)\s*(/\S+)\s+\(0x`)

// Libraries returns the shared libraries that the binaries need, the loader
// among them, as files to put at the same path. A static binary needs none.
func Libraries(ctx context.Context, binaries ...string) (map[string]string, error) {
	files := map[string]string{}
	for _, binary := range binaries {
		output, err := exec.CommandContext(ctx, "ldd", binary).CombinedOutput()
		if err != nil && strings.Contains(string(output), "not a dynamic executable") {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list libraries of %s: %w: %s", binary, err, output)
		}
		for _, path := range parseLibraries(string(output)) {
			files[path] = path
		}
	}
	return files, nil
}

// parseLibraries reads the paths out of ldd's output.
func parseLibraries(output string) []string {
	var paths []string
	for line := range strings.Lines(output) {
		if match := library.FindStringSubmatch(line); match != nil {
			paths = append(paths, match[1])
		}
	}
	return paths
}
