package programs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAbsent(t *testing.T) {
	listing := "runc install ok installed\nnftables deinstall ok config-files\niptables hold ok installed\n"
	got := absent([]string{"runc", "nftables", "iptables", "conntrack"}, listing)
	if diff := cmp.Diff([]string{"nftables", "conntrack"}, got); diff != "" {
		t.Errorf("absent (-want +got):\n%s", diff)
	}
}

func TestKeyChangesWithWhatIsBuilt(t *testing.T) {
	source := t.TempDir()
	module := filepath.Join(source, "etcd")
	if err := os.Mkdir(module, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	key := func(set Set) string {
		t.Helper()
		key, err := set.key(source)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	set := Set{Folder: "etcd", Flags: "-s"}
	write("module a")
	first := key(set)
	if again := key(set); again != first {
		t.Errorf("the same module has two keys, %s and %s", first, again)
	}
	if other := key(Set{Folder: "etcd", Flags: "-w"}); other == first {
		t.Error("other flags, same key")
	}
	write("module b")
	if other := key(set); other == first {
		t.Error("another go.mod, same key")
	}
	if other := key(Set{Folder: "etcd", Flags: "-s", Files: []Files{{"example.com/kinds", "*.yaml"}}}); other == key(set) {
		t.Error("other files, same key")
	}
	if _, err := (Set{Folder: "none"}).key(source); err == nil {
		t.Error("a module that isn't there has a key")
	}
}
