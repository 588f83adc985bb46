package compile

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hello would need the C library, were it not built as a static program.
const hello = "package main\n\nimport \"net\"\n\nfunc main() { _, _ = net.LookupHost(\"localhost\") }\n"

func TestStaticNeedsNothingOfTheImage(t *testing.T) {
	built := build(t, hello)
	if libraries, err := built.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("the program needs %v, %v; want nothing", libraries, err)
	}
}

func TestStaticIsForTheMachineThatIsNamed(t *testing.T) {
	for architecture, want := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		if built := build(t, "package main\n\nfunc main() {}\n", "GOOS=linux", "GOARCH="+architecture); built.Machine != want {
			t.Errorf("the program is for %s, want %s", built.Machine, want)
		}
	}
}

func TestStaticTellsWhatTheCompilerSays(t *testing.T) {
	folder := module(t, "package main\n\nfunc main() { undefined() }\n")
	err := Static(t.Context(), folder, ".", filepath.Join(folder, "out"))
	if err == nil || !strings.Contains(err.Error(), "undefined: undefined") {
		t.Errorf("a program that is none: %v", err)
	}
}

// build compiles a program that lies in no checkout.
func build(t *testing.T, program string, variables ...string) *elf.File {
	t.Helper()
	folder := module(t, program)
	binary := filepath.Join(folder, "out")
	if err := Static(t.Context(), folder, ".", binary, variables...); err != nil {
		t.Fatal(err)
	}
	built, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = built.Close() })
	return built
}

// module is a folder with one program in it.
func module(t *testing.T, program string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module hello\n", "main.go": program} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
