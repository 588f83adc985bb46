package main

import (
	"cmp"
	"context"
	"debug/elf"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/compile"
)

// size is how large the plugin is, and what of.
type size struct {
	// stripped is what is released, in bytes.
	stripped int64
	// modules are the bytes of code and data of each module.
	modules map[string]int64
	total   int64
}

// shown are how many modules the table names.
const shown = 12

// sizes builds the plugin as it is released, and once more with its symbols, which
// say what is in it.
func sizes(ctx context.Context, source string) (size, error) {
	folder, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return size{}, err
	}
	defer os.RemoveAll(folder)
	const target = "./cmd/kubectl-bluegreen"
	stripped, whole := filepath.Join(folder, "stripped"), filepath.Join(folder, "whole")
	if err := compile.Stripped(ctx, source, target, stripped); err != nil {
		return size{}, err
	}
	if err := compile.Static(ctx, source, target, whole); err != nil {
		return size{}, err
	}
	found := size{modules: map[string]int64{}}
	about, err := os.Stat(stripped)
	if err != nil {
		return found, err
	}
	found.stripped = about.Size()
	owners, err := moduleOf(ctx, source, target)
	if err != nil {
		return found, err
	}
	err = found.read(whole, owners)
	return found, err
}

// read adds the symbols of a program. What takes no room in the file is left out.
func (s *size) read(program string, owners map[string]string) error {
	file, err := elf.Open(program)
	if err != nil {
		return fmt.Errorf("read the symbols of %s: %w", program, err)
	}
	defer file.Close()
	symbols, err := file.Symbols()
	if err != nil {
		return fmt.Errorf("read the symbols of %s: %w", program, err)
	}
	for _, symbol := range symbols {
		if index := int(symbol.Section); index < len(file.Sections) && file.Sections[index].Type != elf.SHT_NOBITS {
			s.count(symbol.Name, int64(symbol.Size), owners)
		}
	}
	return nil
}

// count adds one symbol.
func (s *size) count(symbol string, bytes int64, owners map[string]string) {
	s.modules[cmp.Or(owners[packageOf(symbol)], "types and names")] += bytes
	s.total += bytes
}

// packageOf is the package of a symbol, such as k8s.io/api/core/v1 of
// k8s.io/api/core/v1.(*Pod).Size; "" of one that has none.
func packageOf(symbol string) string {
	symbol, _, _ = strings.Cut(symbol, "[")
	slash := strings.LastIndexByte(symbol, '/') + 1
	name, _, dotted := strings.Cut(symbol[slash:], ".")
	if !dotted {
		return ""
	}
	return strings.ReplaceAll(symbol[:slash]+name, "%2e", ".")
}

// moduleOf is the module of every package that a program is made of.
func moduleOf(ctx context.Context, source, target string) (map[string]string, error) {
	listed, err := output(ctx, source, "go", "list", "-deps", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{else}}Go's standard library{{end}}", target)
	if err != nil {
		return nil, err
	}
	owners := map[string]string{"main": "github.com/bluegreen-dev/kubectl-bluegreen"}
	for line := range strings.Lines(listed) {
		name, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		owners[name] = module
	}
	return owners, nil
}

func output(ctx context.Context, folder, program string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = folder
	text, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("run %s %s: %w", program, args[0], err)
	}
	return string(text), nil
}

// text is the table, for people.
func (s size) text() string {
	text := strings.Builder{}
	fmt.Fprintf(&text, "\n## The size of the plugin\n\nAs it is released, `kubectl-bluegreen` has %.1f MiB on this system. Its code and data, by the\nmodule that they come from; the rest are tables by which Go's runtime knows its functions:\n\n| Module | MiB | Share |\n|---|---|---|\n", mebibytes(s.stripped))
	names := slices.SortedFunc(maps.Keys(s.modules), func(a, b string) int { return cmp.Compare(s.modules[b], s.modules[a]) })
	rest := s.total
	for _, name := range names[:min(shown, len(names))] {
		rest -= s.modules[name]
		fmt.Fprintf(&text, "| %s | %.1f | %.0f %% |\n", name, mebibytes(s.modules[name]), 100*float64(s.modules[name])/float64(s.total))
	}
	fmt.Fprintf(&text, "| %d others | %.1f | %.0f %% |\n", max(0, len(names)-shown), mebibytes(rest), 100*float64(rest)/float64(s.total))
	return text.String()
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
