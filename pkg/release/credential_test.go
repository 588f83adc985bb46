package release

import (
	"strings"
	"testing"
)

// TestACredentialIsNeverRepeated puts a password everywhere that text can
// stand and looks for it in everything that is said.
func TestACredentialIsNeverRepeated(t *testing.T) {
	full := read(t, "full.yaml")
	const dsn = "postgres://app:hunter2@db.example/shop"
	for index, line := range strings.Split(full, "\n") {
		for _, broken := range []string{
			line + " # " + dsn,
			line + " '" + dsn + "'",
			strings.Replace(line, ": ", ": "+dsn+" ", 1),
			strings.Replace(line, ": ", ": \""+dsn+"\" # ", 1),
			strings.Replace(line, ":", "-"+dsn+":", 1),
		} {
			if broken == line {
				continue
			}
			lines := strings.Split(full, "\n")
			lines[index] = broken
			_, err := Parse("bluegreen.yaml", []byte(strings.Join(lines, "\n")))
			if err == nil {
				t.Errorf("line %d: %q is accepted", index+1, broken)
				continue
			}
			if strings.Contains(err.Error()+HintOf(err), "hunter2") {
				t.Errorf("line %d: the password is repeated: %v", index+1, err)
			}
		}
	}
}

func TestWhatIsNoCredential(t *testing.T) {
	for _, text := range []string{
		"http://prometheus:9090", "connection refused", "password authentication failed", "PGPASSWORD", "https://example.org/a@b",
	} {
		if credential.MatchString(text) {
			t.Errorf("%q is taken for a credential", text)
		}
	}
}

// What is asked for in a path is no secret, whatever it is called.
func TestSecretInPath(t *testing.T) {
	for path, want := range map[string]bool{
		"/v1/token:refresh":             false,
		"/secret:rotate/api-key=1":      false,
		"/v1/token:refresh?user=1":      false,
		"/login?next=/v1/tokens":        false,
		"/health?token=planted":         true,
		"/health?a=1&api_key=planted":   true,
		"/health?a=1&api%5Fkey=planted": true,
		"//shop:planted@db/health":      true,
		"//shop@db/health":              false,
	} {
		if got := secretInPath(path); got != want {
			t.Errorf("a secret in %s: %t, want %t", path, got, want)
		}
	}
}
