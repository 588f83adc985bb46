package crash

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
)

// bench is a ledger, and the run that is written through it.
type bench struct {
	t *testing.T
	// media is how objects go over the wire.
	media  string
	ledger *Ledger
	run    journal.Run
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return &bench{t: t, media: runtime.ContentTypeProtobuf, ledger: NewLedger("shop", "shop"), run: journal.Run{ID: "20261122-153012-k7f3q", Release: "shop", Epoch: 1}}
}

// encoded is an object as it goes over the wire.
func (b *bench) encoded(object runtime.Object) []byte {
	b.t.Helper()
	info, known := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), b.media)
	if !known {
		b.t.Fatalf("nothing encodes %s", b.media)
	}
	text, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, schema.GroupVersions(scheme.Scheme.PrioritizedVersionsAllGroups())), object)
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// record is the ConfigMap of the run.
func (b *bench) record() []byte {
	b.t.Helper()
	text, err := json.Marshal(b.run)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.encoded(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "bluegreen-shop"}, Data: map[string]string{recordKey: string(text)}})
}

// pass sends an exchange through the ledger, with a status, and returns the
// name of its point, "" for none.
func (b *bench) pass(status int, exchange *interpose.Exchange) string {
	b.t.Helper()
	exchange.Stage = interpose.Arriving
	arriving, known := b.ledger.See(exchange)
	exchange.Stage, exchange.Status = interpose.Answered, status
	answered, still := b.ledger.See(exchange)
	if arriving != answered || known != still {
		b.t.Errorf("%s when it arrived, %s when it was answered", arriving, answered)
	}
	if !known {
		return ""
	}
	return arriving.String()
}

func request(verb, group, resource, name string, body []byte) *interpose.Exchange {
	return &interpose.Exchange{Body: body, Header: http.Header{},
		Target: interpose.Target{Verb: verb, Group: group, Version: "v1", Resource: resource, Namespace: "shop", Name: name}}
}

// save writes the run, with entries appended, and returns the point.
func (b *bench) save(status int, entries ...journal.Entry) string {
	b.t.Helper()
	before := b.run
	for _, entry := range entries {
		b.run.LastSequence++
		entry.Sequence = b.run.LastSequence
		b.run.Entries = append(b.run.Entries[:len(b.run.Entries):len(b.run.Entries)], entry)
	}
	point := b.pass(status, request("update", "", "configmaps", "bluegreen-shop", b.record()))
	if status != http.StatusOK {
		b.run = before
	}
	return point
}

func entry(kind journal.Kind, action, object string) journal.Entry {
	return journal.Entry{Kind: kind, Action: action, Object: object}
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("the point is %q, want %q", got, want)
	}
}

// The record says by itself where a run is.
func TestPointsOfTheRecord(t *testing.T) {
	b := newBench(t)
	same(t, b.pass(http.StatusCreated, request("create", "", "configmaps", "", b.record())), "begin")
	b.run.Phase = "preflight"
	same(t, b.save(http.StatusOK), "save preflight")
	same(t, b.save(http.StatusOK, entry(journal.Intent, "stamp", "service/svc")), "intent stamp service/svc")
	same(t, b.save(http.StatusOK, entry(journal.Result, "stamp", "service/svc")), "result stamp service/svc")
	same(t, b.save(http.StatusConflict, entry(journal.Transition, "preflight → apply", "")), "transition preflight → apply")
	same(t, b.save(http.StatusOK, entry(journal.Transition, "preflight → apply", "")), "transition preflight → apply")
	same(t, b.save(http.StatusOK, entry(journal.Decision, "watch → revert", "")), "transition watch → revert")
	same(t, b.save(http.StatusOK, entry(journal.Note, "", "")), "save preflight")
	b.run.Epoch++
	same(t, b.save(http.StatusOK), "take over")
	b.run.Finished = time.Unix(1, 0)
	same(t, b.save(http.StatusOK), "finish")
	b.run = journal.Run{ID: "20261122-153112-aaaaa", Release: "shop", Epoch: 3}
	same(t, b.save(http.StatusOK), "begin")
}

// A client may send JSON as well as protobuf.
func TestRecordInJSON(t *testing.T) {
	b := newBench(t)
	b.media = runtime.ContentTypeJSON
	same(t, b.pass(http.StatusCreated, request("create", "", "configmaps", "", b.record())), "begin")
	same(t, b.save(http.StatusOK, entry(journal.Transition, "preflight → apply", "")), "transition preflight → apply")
}

// A ledger that has seen no write yet learns from what the program reads.
func TestRecordIsLearntFromReads(t *testing.T) {
	b := newBench(t)
	b.run.Entries, b.run.LastSequence = []journal.Entry{{Sequence: 1, Kind: journal.Intent, Action: "switch", Object: "service/svc"}}, 1
	read := request("get", "", "configmaps", "bluegreen-shop", nil)
	read.Answer = b.record()
	same(t, b.pass(http.StatusOK, read), "")
	b.run.Epoch++
	same(t, b.save(http.StatusOK), "take over")
	// A read of before, answered late, changes nothing.
	stale := *read
	same(t, b.pass(http.StatusOK, &stale), "")
	same(t, b.save(http.StatusOK, entry(journal.Transition, "switch → prove", "")), "transition switch → prove")
}

func TestPointsBesideTheRecord(t *testing.T) {
	b := newBench(t)
	lease := func(holder *string, epoch string) []byte {
		return b.encoded(&coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: "bluegreen-shop", Annotations: map[string]string{cluster.AnnotationEpoch: epoch}},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: holder},
		})
	}
	const group = "coordination.k8s.io"
	same(t, b.pass(http.StatusCreated, request("create", group, "leases", "", lease(ptr.To("ana"), "1"))), "lease take")
	same(t, b.pass(http.StatusOK, request("update", group, "leases", "bluegreen-shop", lease(ptr.To("ana"), "1"))), "")
	same(t, b.pass(http.StatusConflict, request("update", group, "leases", "bluegreen-shop", lease(ptr.To("bob"), "2"))), "lease take")
	same(t, b.pass(http.StatusOK, request("update", group, "leases", "bluegreen-shop", lease(nil, "1"))), "lease give up")
	same(t, b.pass(http.StatusOK, request("update", group, "leases", "bluegreen-shop", lease(ptr.To("bob"), "2"))), "lease take")
	same(t, b.pass(http.StatusCreated, request("create", "", "configmaps", "", b.encoded(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "bluegreen-shop-20261122-153012-k7f3q"}}))), "archive create")
	same(t, b.pass(http.StatusOK, request("get", "", "services", "svc", nil)), "")
	stop := request("patch", "", "services", "svc", []byte(`{"metadata":{"annotations":{"bluegreen.dev/stop":"now"}}}`))
	stop.Header.Set("Content-Type", "application/merge-patch+json")
	same(t, b.pass(http.StatusOK, stop), "stop")
	if found := b.ledger.Unannounced(); len(found) != 0 {
		t.Errorf("unannounced: %q", found)
	}
}

// written is a write of each kind that an intent announces.
func written() map[string]*interpose.Exchange {
	apply := request("patch", "apps", "deployments", "shop-green", []byte(`{}`))
	apply.Header.Set("Content-Type", "application/apply-patch+yaml")
	evict := request("create", "", "pods", "shop-blue-7d4-x2x", []byte(`{}`))
	evict.Subresource = "eviction"
	return map[string]*interpose.Exchange{
		"switch service/svc":           request("patch", "", "services", "svc", []byte(`[]`)),
		"scale deployment/shop-green":  request("patch", "apps", "deployments", "shop-green", []byte(`[]`)),
		"switch ingress/svc":           request("patch", "networking.k8s.io", "ingresses", "svc", []byte(`[]`)),
		"apply 3 objects":              apply,
		"recycle deployment/shop-blue": evict,
		"trial deployment/shop-blue":   request("create", "", "pods", "", []byte(`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"shop-blue-spare-abcde"}}`)),
	}
}

// No write without an intent: the record that landed must hold one, open, of
// that action, for that object, by the present holder.
func TestWritesWithoutAnIntent(t *testing.T) {
	points := map[string]string{
		"switch service/svc": "write switch patch services/svc", "scale deployment/shop-green": "write scale patch deployments/shop-green",
		"switch ingress/svc": "write switch patch ingresses/svc", "apply 3 objects": "write apply patch deployments/shop-green",
		"recycle deployment/shop-blue": "write recycle create pods/shop-blue-*/eviction", "trial deployment/shop-blue": "write trial create pods/shop-blue-spare-*",
	}
	for name := range written() {
		t.Run(name, func(t *testing.T) {
			action, object, _ := strings.Cut(name, " ")
			b := newBench(t)
			b.save(http.StatusOK)
			// each writes once more, and tells how many were unannounced.
			each := func(when string, want int) {
				t.Helper()
				point := b.pass(http.StatusOK, written()[name])
				if found := b.ledger.Unannounced(); len(found) != want {
					t.Errorf("%s: unannounced are %q, want %d", when, found, want)
				}
				if want == 0 {
					same(t, point, points[name])
				}
			}
			each("before anything is announced", 1)
			b.save(http.StatusOK, entry(journal.Intent, action, "deployment/another"), entry(journal.Intent, "stamp", "lease/another"))
			if action != "apply" {
				each("when another is announced", 1)
			}
			b.save(http.StatusInternalServerError, entry(journal.Intent, action, object))
			if action != "apply" {
				each("when the intent did not land", 1)
			}
			b.save(http.StatusOK, entry(journal.Intent, action, object))
			each("when it is announced", 0)
			each("a second time, as after a conflict", 0)
			b.save(http.StatusOK, entry(journal.Result, action, object), entry(journal.Result, action, "deployment/another"))
			each("when it has a result", 1)
			b.save(http.StatusOK, entry(journal.Intent, action, object))
			b.run.Epoch++
			b.save(http.StatusOK)
			each("when a former holder announced it", 1)
			b.save(http.StatusOK, entry(journal.Intent, action, object))
			each("when the new holder did", 0)
			foreign := written()[name]
			foreign.Namespace = "another"
			b.pass(http.StatusOK, foreign)
			if found := b.ledger.Unannounced(); len(found) != 1 {
				t.Errorf("in another namespace unannounced are %q", found)
			}
		})
	}
}

// The complaint says what was written and what was announced.
func TestComplaint(t *testing.T) {
	b := newBench(t)
	b.save(http.StatusOK)
	b.save(http.StatusOK, entry(journal.Intent, "stamp", "deployment/shop-blue"))
	b.pass(http.StatusOK, written()["switch service/svc"])
	want := []string{`patch services/svc (svc) in shop without an intent; open since entry 0: ["1 stamp deployment/shop-blue"]`}
	if difference := cmp.Diff(want, b.ledger.Unannounced()); difference != "" {
		t.Error(difference)
	}
}
