package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// Another release that has the same objects in its document is refused while a run
// of the first is under way, before it writes anything, and is told whose it is. A
// rollback of it warns and goes ahead; the run that it takes the route from is held
// and writes nothing more, and goes back too once the other has ended.
func TestReleasesThatShareARoute(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: watching(3 * time.Minute)})
	s.copyOfDocument("cart")
	process := s.inWatch(shop.Green, "shift")
	run := s.status(s.run(rollout.CodeDone, "status", "-o", "json"))
	hands := "service/" + shop.Service + ", deployment/" + shop.Deployment(shop.Blue) + ", deployment/" + shop.Deployment(shop.Green) +
		" is in the hands of another release: release " + shop.Release + " is held by " + run.Holder + " with run " + run.ID

	refused := s.run(rollout.CodeBlocked, "shift", "-f", "cart.yaml")
	says(t, refused.Stdout, hands)
	says(t, refused.Stderr, "next: kubectl bluegreen status -f FILE -w")
	if left := s.byHand("get", "leases,configmaps", "-l", "bluegreen.dev/release=cart", "-o", "name"); left != "" {
		t.Errorf("the refused shift has written %s", left)
	}

	says(t, s.run(rollout.CodeDone, "rollback", "-f", "cart.yaml").Stderr, "going back all the same: "+hands)
	says(t, s.ended(process, rollout.CodeHeld).Stdout, "service/"+shop.Service+" was taken over by ")
	s.serves(shop.Blue)

	if back := s.run(rollout.CodeDone, "rollback"); strings.Contains(back.Stderr, "in the hands of another release") {
		t.Errorf("a run that has ended is in the way:\n%s", back.Stderr)
	}
	s.serves(shop.Blue)
}

// copyOfDocument writes the shop's document under the name of another release.
func (s *scenario) copyOfDocument(name string) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.shop.Folder, "bluegreen.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	renamed := strings.Replace(string(text), "\n  name: "+shop.Release+"\n", "\n  name: "+name+"\n", 1)
	if renamed == string(text) {
		s.t.Fatalf("the document is not about %s:\n%s", shop.Release, text)
	}
	if err := os.WriteFile(filepath.Join(s.shop.Folder, name+".yaml"), []byte(renamed), 0o600); err != nil {
		s.t.Fatal(err)
	}
}
