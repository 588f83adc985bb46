package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// token is a secret that stands in the environment of green.
const token = "canary-token-8d1f60b2"

// canaries are planted in the Secrets, in the environment and in the logs of a
// bad release. Nothing that the program prints, keeps in the cluster or keeps
// on disk repeats them, though it keeps the very logs that they stand in.
func TestNoSecretIsEverRepeated(t *testing.T) {
	s := open(t, shop.Options{Green: shop.Slot{Env: map[string]string{"FAULTS_ENABLED": "true", "FAULT_ERROR_RATE": "0.05", "API_TOKEN": token}}})
	passwords, err := s.shop.Passwords(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	canaries := slices.Concat(passwords, []string{token})
	s.production(keepAliveClients, freshClients)
	said := &spoken{}
	said.hear(s.run(rollout.CodeDone, "check", "-o", "json"))
	said.hear(s.run(rollout.CodeDone, "check", "-o", "wide"))
	said.hear(s.run(rollout.CodeDone, "db", "budget", "-o", "yaml"))
	said.hear(s.run(rollout.CodeDone, "shift", "--dry-run=server", "-o", "yaml"))

	process := s.start("shift", "-o", "json")
	s.await("green serves", func(ctx context.Context) error { return s.shop.AwaitLive(ctx, shop.Green) })
	careless := fmt.Sprintf(`{"log": "connected with %s as postgres://shop:%s@db/shop, signing with %s"}`, passwords[0], passwords[1], token)
	if err := s.shop.Fault(t.Context(), shop.Green, careless); err != nil {
		t.Fatal(err)
	}
	shifted := s.ended(process, rollout.CodeRolledBack)
	said.hear(shifted)
	status := s.status(shifted)
	said.hear(s.run(rollout.CodeDone, "status", "-o", "yaml"))
	said.hear(s.run(rollout.CodeDone, "history", status.ID, "-o", "yaml"))
	said.hear(s.run(rollout.CodeDone, "history", "-o", "wide"))

	kept := s.preserved(status.ID)
	if !strings.Contains(kept, "faults changed") || !strings.Contains(kept, "connected with ***") {
		t.Errorf("the careless line is not among the logs that were kept:\n%.2000s", kept)
	}
	places := s.keptOnDisk()
	places["what was printed"] = said.String()
	for name, text := range s.keptInCluster() {
		places[name] = text
	}
	if len(places) < 5 {
		t.Errorf("looked in %d places only", len(places))
	}
	for place, text := range places {
		for index, canary := range canaries {
			if strings.Contains(text, canary) {
				t.Errorf("%s holds canary %d", place, index)
			}
		}
	}
}

// spoken is everything that the program has printed.
type spoken struct{ strings.Builder }

func (s *spoken) hear(result shop.Result) { s.WriteString(result.Stdout + result.Stderr) }

// keptOnDisk are the files that runs have left in the shop's folder.
func (s *scenario) keptOnDisk() map[string]string {
	s.t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(filepath.Join(s.shop.Folder, "bluegreen-runs"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		found[path] = string(text)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

// keptInCluster are the objects that runs have left, and what they have put on
// others, archives unpacked.
func (s *scenario) keptInCluster() map[string]string {
	s.t.Helper()
	found := map[string]string{
		"leases, events and the route": s.byHand("get", "leases,events,services,endpointslices", "-o", "yaml", "--show-managed-fields"),
	}
	records, err := place(s.t).Client.Kubernetes.CoreV1().ConfigMaps(s.shop.Namespace).List(s.t.Context(), metav1.ListOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, record := range records.Items {
		text := fmt.Sprint(record.Annotations, record.Labels, record.Data)
		for _, packed := range record.BinaryData {
			unpacked, err := gzip.NewReader(bytes.NewReader(packed))
			if err != nil {
				s.t.Fatal(err)
			}
			plain, err := io.ReadAll(unpacked)
			if err != nil {
				s.t.Fatal(err)
			}
			text += string(plain)
		}
		found["configmap "+record.Name] = text
	}
	return found
}
