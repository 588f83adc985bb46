package programs

import (
	"strings"
	"testing"
)

func TestRecent(t *testing.T) {
	for name, tt := range map[string]struct {
		text  string
		taken bool
	}{
		"Debian 12":       {"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n", true},
		"Debian 13":       {"ID=debian\nVERSION_ID='13'\n", true},
		"Debian testing":  {"PRETTY_NAME=\"Debian GNU/Linux forky/sid\"\nID=debian\n", true},
		"Debian 11":       {"PRETTY_NAME=\"Debian GNU/Linux 11 (bullseye)\"\nVERSION_ID=\"11\"\nID=debian\n", false},
		"Debian 9":        {"PRETTY_NAME=\"Debian GNU/Linux 9 (stretch)\"\nVERSION_ID=\"9\"\nID=debian\n", false},
		"Ubuntu 24.04":    {"ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n", true},
		"Ubuntu 25.10":    {"ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"25.10\"\n", true},
		"Ubuntu 23.10":    {"PRETTY_NAME=\"Ubuntu 23.10\"\nID=ubuntu\nVERSION_ID=\"23.10\"\n", false},
		"Ubuntu 22.04":    {"PRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"22.04\"\n", false},
		"a relative":      {"ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"22\"\n", true},
		"says nothing":    {"", true},
		"a comment, junk": {"# a comment\nnonsense\n\nID=debian\nVERSION_ID=12\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			err := recent(tt.text)
			if (err == nil) != tt.taken {
				t.Fatalf("recent = %v, want it taken: %t", err, tt.taken)
			}
			if tt.taken {
				return
			}
			_, pretty, _ := strings.Cut(tt.text, "PRETTY_NAME=\"")
			pretty, _, _ = strings.Cut(pretty, "\"")
			for _, part := range []string{"Debian 12 or Ubuntu 24.04", "this is " + pretty, "CLUSTER=current"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("nothing says %q in %q", part, err)
				}
			}
		})
	}
}
