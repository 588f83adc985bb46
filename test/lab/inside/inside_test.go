// Package inside proves that tests run inside a lab as [lab.Main] promises.
package inside

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m, lab.Options{With: []lab.Addon{}})) }

// TestTheTestItselfReachesTheCluster uses an address that only the lab has.
func TestTheTestItselfReachesTheCluster(t *testing.T) {
	current := lab.Current(t)
	transport, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://kube-dns.kube-system:53", nil)
	if err != nil {
		t.Fatal(err)
	}
	// Cluster DNS takes the connection and then hears no DNS.
	if _, err := http.DefaultClient.Do(transport); err == nil || strings.Contains(err.Error(), "dial") {
		t.Errorf("connect to cluster DNS by its Service's name: %v", err)
	}
	if got := os.Getenv("KUBECONFIG"); got != current.Kubeconfig() {
		t.Errorf("KUBECONFIG is %q, want %q", got, current.Kubeconfig())
	}
	out, err := current.Kubectl(t.Context(), "get", "nodes", "-o", "name").CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "node/node" {
		t.Errorf("nodes: %s, %v", out, err)
	}
}
