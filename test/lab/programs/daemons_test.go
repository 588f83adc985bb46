package programs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What forbids daemons goes when the packages are there, and what a killed
// process left goes at the next start. Somebody else's stays in charge.
func TestForbidDaemons(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy-rc.d")
	allow, err := forbidDaemons(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode()&0o100 == 0 || !policyLeftOver(path) {
		t.Errorf("nothing that runs forbids daemons: %v, %v", info, err)
	}
	allow()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("daemons are still forbidden: %v", err)
	}

	// Killed before it could allow them again.
	if _, err := forbidDaemons(path); err != nil {
		t.Fatal(err)
	}
	if err := removeLeftOver(path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("what a killed process left is still there: %v", err)
	}

	const theirs = "#!/bin/sh\nexit 101\n"
	if err := os.WriteFile(path, []byte(theirs), 0o755); err != nil {
		t.Fatal(err)
	}
	if allow, err = forbidDaemons(path); err != nil {
		t.Fatal(err)
	}
	allow()
	if err := removeLeftOver(path); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != theirs {
		t.Errorf("somebody else's policy is now %q, %v", content, err)
	}
}

// Only what the packages brought is disabled, not what was enabled before, and
// it is told.
func TestDisableOnlyWhatCame(t *testing.T) {
	systemd := fakeSystemctl(t, "ssh.service enabled enabled\nfstrim.timer enabled enabled\nprometheus.service enabled enabled\n"+
		"postgresql.service enabled enabled\n")
	var out strings.Builder
	if err := disable(t.Context(), &out, []string{"ssh.service", "fstrim.timer", "console.service"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("disable prometheus.service postgresql.service\n", systemd()); diff != "" {
		t.Errorf("systemctl (-want +got):\n%s", diff)
	}
	if !strings.Contains(out.String(), "prometheus.service, postgresql.service") {
		t.Errorf("told: %q", out.String())
	}
}

// Packages without daemons change nothing, and tell nothing.
func TestDisableNothing(t *testing.T) {
	systemd := fakeSystemctl(t, "ssh.service enabled enabled\n")
	var out strings.Builder
	if err := disable(t.Context(), &out, []string{"ssh.service"}); err != nil || systemd() != "" || out.Len() > 0 {
		t.Errorf("disable = %v; systemctl %q, told %q", err, systemd(), out.String())
	}
}

// A machine whose units can't be listed gets no packages: afterwards nobody
// could tell which came with them, and a machine without systemd has none.
func TestUnitsOfMachines(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if names, err := units(t.Context()); err != nil || len(names) > 0 {
		t.Errorf("without systemd: %v, %v", names, err)
	}
	fakeProgram(t, "systemctl", "exit 1")
	if names, err := units(t.Context()); err == nil {
		t.Errorf("a systemd that answers nothing has %v", names)
	}
}

// fakeSystemctl puts one on PATH that lists units as enabled; what it returns
// tells the other calls.
func fakeSystemctl(t *testing.T, enabled string) (calls func() string) {
	t.Helper()
	folder := t.TempDir()
	list, log := filepath.Join(folder, "units"), filepath.Join(folder, "log")
	if err := os.WriteFile(list, []byte(enabled), 0o600); err != nil {
		t.Fatal(err)
	}
	fakeProgram(t, "systemctl", `case "$*" in
*--state=enabled*) cat `+list+` ;;
*) echo "$*" >> `+log+` ;;
esac`)
	return func() string {
		content, err := os.ReadFile(log)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return string(content)
	}
}

// fakeProgram puts a shell script on PATH.
func fakeProgram(t *testing.T, name, script string) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
}
