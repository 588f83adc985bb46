package signoff

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func word(by string) SignOff { return SignOff{By: by, Until: "2026-12-01", Signed: noon} }

func held(labelled string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "bluegreen-shop-signoffs", Namespace: "shop",
		Labels: map[string]string{cluster.LabelRelease: labelled}}, Data: data}
}

func TestSignAndRevoke(t *testing.T) {
	client, server := clustertest.New()
	store := NewStore(client.Kubernetes, "shop", "shop")
	if entries, err := store.Read(t.Context()); err != nil || len(entries) != 0 {
		t.Fatalf("%v, %v; want none", entries, err)
	}
	if found, err := store.Revoke(t.Context(), kind(t, DualLoad)); found || err != nil {
		t.Errorf("revoked what nobody signed: %t, %v", found, err)
	}
	for _, id := range []string{DualLoad, RollbackDrill} {
		if err := store.Sign(t.Context(), kind(t, id), word("ana")); err != nil {
			t.Fatal(err)
		}
	}
	object, err := server.CoreV1().ConfigMaps("shop").Get(t.Context(), "bluegreen-shop-signoffs", metav1.GetOptions{})
	if err != nil || object.Labels[cluster.LabelRelease] != "shop" {
		t.Fatalf("%+v, %v", object, err)
	}
	if found, err := store.Revoke(t.Context(), kind(t, DualLoad)); !found || err != nil {
		t.Errorf("revoke: %t, %v", found, err)
	}
	entries, err := store.Read(t.Context())
	if diff := cmp.Diff(map[string]Entry{RollbackDrill: {SignOff: word("ana")}}, entries); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

// Two people who sign at once are both heard: whoever comes second finds the
// other's, on a ConfigMap that is there and on one that is not yet.
func TestSignOffsOfTwoAtOnceBothStay(t *testing.T) {
	for name, before := range map[string][]runtime.Object{"the first ones": nil, "beside others": {held("shop", map[string]string{ClientCaching: "{}"})}} {
		t.Run(name, func(t *testing.T) {
			client, server := clustertest.New(before...)
			store := NewStore(client.Kubernetes, "shop", "shop")
			var once sync.Once
			race := func(action clienttesting.Action) (bool, runtime.Object, error) {
				if action.GetResource().Resource != "configmaps" {
					return false, nil, nil
				}
				overtaken := false
				once.Do(func() {
					overtaken = true
					other := held("shop", map[string]string{RollbackDrill: `{"by":"bob","until":"2026-12-01","signed":"2026-11-22T12:00:00Z"}`})
					other.ResourceVersion = "99"
					if len(before) > 0 {
						other.Data[ClientCaching] = "{}"
						_ = server.Tracker().Update(action.GetResource(), other, "shop")
						return
					}
					_ = server.Tracker().Create(action.GetResource(), other, "shop")
				})
				if overtaken && action.GetVerb() == "create" {
					return true, nil, apierrors.NewAlreadyExists(schema.GroupResource{Resource: "configmaps"}, "bluegreen-shop-signoffs")
				}
				return false, nil, nil
			}
			server.PrependReactor("create", "configmaps", race)
			server.PrependReactor("update", "configmaps", race)
			if err := store.Sign(t.Context(), kind(t, DualLoad), word("ana")); err != nil {
				t.Fatal(err)
			}
			entries, err := store.Read(t.Context())
			if err != nil || entries[DualLoad].SignOff.By != "ana" || entries[RollbackDrill].SignOff.By != "bob" {
				t.Errorf("%+v, %v; want both", entries, err)
			}
			if _, kept := entries[ClientCaching]; kept != (len(before) > 0) {
				t.Errorf("what was there before is kept: %t", kept)
			}
		})
	}
}

func TestWhatSomebodyEditedIsNoSignOff(t *testing.T) {
	object := held("shop", map[string]string{
		DualLoad: "ana says so", RollbackDrill: `{"by":" ","until":"2026-12-01","signed":"2026-11-22T12:00:00Z"}`,
		"until": `{"by":"ana","until":"tomorrow"}`, "signed": `{"by":"ana","until":"2026-12-01"}`,
		"secret": `{"by":"ana","until":"2026-12-01","signed":"2026-11-22T12:00:00Z","note":"postgres://u:kept-to-itself@db/x"}`})
	object.BinaryData = map[string][]byte{ClientCaching: {1}}
	client, _ := clustertest.New(object)
	entries, err := NewStore(client.Kubernetes, "shop", "shop").Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for id, says := range map[string]string{DualLoad: "no sign-off as JSON", RollbackDrill: "nobody in by", "until": "no day", "signed": "no time", ClientCaching: "no text"} {
		if !strings.Contains(entries[id].Problem, says) {
			t.Errorf("%s: %q, want %q", id, entries[id].Problem, says)
		}
	}
	if note := entries["secret"].SignOff.Note; note == "" || strings.Contains(note, "kept-to-itself") {
		t.Errorf("note = %q", note)
	}
}

func TestOnesOfAnotherReleaseAreLeftAlone(t *testing.T) {
	client, server := clustertest.New(held("shop-signoffs", map[string]string{"run.json": "{}"}))
	store := NewStore(client.Kubernetes, "shop", "shop")
	err := store.Sign(t.Context(), kind(t, DualLoad), word("ana"))
	if err == nil || !strings.Contains(err.Error(), "shop-signoffs") || !strings.Contains(release.HintOf(err), "kubectl -n shop label") {
		t.Errorf("%v, hint %q", err, release.HintOf(err))
	}
	if slices.ContainsFunc(server.Actions(), func(action clienttesting.Action) bool { return action.GetVerb() != "get" }) {
		t.Errorf("written: %v", server.Actions())
	}
}

func TestARefusalIsTold(t *testing.T) {
	client, server := clustertest.New()
	server.PrependReactor("create", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", errors.New("no"))
	})
	if err := NewStore(client.Kubernetes, "shop", "shop").Sign(t.Context(), kind(t, DualLoad), word("ana")); !apierrors.IsForbidden(err) {
		t.Errorf("%v, want forbidden", err)
	}
}
