package audit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// line is an event as the API server writes it, in a namespace.
func line(verb, uri, resource, name, subresource, code, request, response string) string {
	fields := []string{
		`"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","stage":"ResponseComplete"`,
		`"requestURI":"` + uri + `","verb":"` + verb + `","user":{"username":"` + ana + `"}`,
		`"objectRef":{"resource":"` + resource + `","namespace":"shop","name":"` + name + `","subresource":"` + subresource + `"}`,
		`"responseStatus":{"metadata":{},"code":` + code + `}`,
		`"requestReceivedTimestamp":"2026-11-24T12:00:00.000001Z","stageTimestamp":"2026-11-24T12:00:00.002000Z"`,
	}
	if request != "" {
		fields = append(fields, `"requestObject":`+request)
	}
	if response != "" {
		fields = append(fields, `"responseObject":`+response)
	}
	return "{" + strings.Join(fields, ",") + "}\n"
}

const (
	servicesURI = "/api/v1/namespaces/shop/services/svc-production?fieldManager=bluegreen"
	// answered is a Service that carries the stamp of somebody else.
	answered = `{"kind":"Service","metadata":{"name":"svc-production","resourceVersion":"42","annotations":{"bluegreen.dev/epoch":"9","bluegreen.dev/holder":"ben/2"}}}`
	stamping = `[{"op":"test","path":"/metadata/resourceVersion","value":"41"},{"op":"test","path":"/metadata/annotations/bluegreen.dev~1epoch","value":"6"},` +
		`{"op":"add","path":"/spec/replicas","value":2},{"op":"add","path":"/metadata/annotations/bluegreen.dev~1epoch","value":"7"},` +
		`{"op":"add","path":"/metadata/annotations/bluegreen.dev~1holder","value":"ana/1"}]`
)

// at is what every line of the tests has in common.
func at(write Write) Write {
	write.User = ana
	write.Received = time.Date(2026, 11, 24, 12, 0, 0, 1000, time.UTC)
	write.Completed = time.Date(2026, 11, 24, 12, 0, 0, 2000000, time.UTC)
	return write
}

// The stamp is that of the request: what the answer carries may be another's.
func TestWritesAreRead(t *testing.T) {
	for name, tt := range map[string]struct {
		line string
		want []Write
	}{
		"a fenced patch": {line("patch", servicesURI, "services", "svc-production", "", "200", stamping, answered),
			[]Write{at(Write{Verb: "patch", Object: route, Code: 200, Epoch: 7, Holder: "ana/1", Revision: 42, Above: 41})}},
		"a status, which comes with somebody else's stamp": {line("update", "/api/v1/namespaces/shop/services/svc-production/status", "services", "svc-production", "status", "200",
			strings.Replace(answered, `"42"`, `"41"`, 1), answered),
			[]Write{at(Write{Verb: "update", Object: route, Code: 200, Revision: 42, Above: 41, Status: true})}},
		"a fenced patch that was refused": {line("patch", servicesURI, "services", "svc-production", "", "422", stamping, `{"kind":"Status","code":422}`),
			[]Write{at(Write{Verb: "patch", Object: route, Code: 422, Epoch: 7, Holder: "ana/1", Above: 41})}},
		"an emergency stop": {line("patch", servicesURI, "services", "svc-production", "", "200", `{"metadata":{"annotations":{"bluegreen.dev/stop":"smoke"}}}`, answered),
			[]Write{at(Write{Verb: "patch", Object: route, Code: 200, Revision: 42, Stop: true})}},
		"a selector that comes along with a stop": {line("patch", servicesURI, "services", "svc-production", "", "200",
			`{"metadata":{"annotations":{"bluegreen.dev/stop":"smoke"}},"spec":{"selector":{"version":"blue"}}}`, answered),
			[]Write{at(Write{Verb: "patch", Object: route, Code: 200, Revision: 42})}},
		"a lease": {line("update", "/apis/coordination.k8s.io/v1/namespaces/shop/leases/bluegreen-shop", "leases", "bluegreen-shop", "", "200",
			`{"metadata":{"name":"bluegreen-shop","resourceVersion":"50","annotations":{"bluegreen.dev/epoch":"7"}},"spec":{"holderIdentity":"ana/1"}}`, `{"metadata":{"name":"bluegreen-shop","resourceVersion":"51"}}`),
			[]Write{at(Write{Verb: "update", Object: leaseName, Code: 200, Epoch: 7, Holder: "ana/1", Revision: 51, Above: 50})}},
		"an object that is created": {line("create", "/api/v1/namespaces/shop/configmaps", "configmaps", "", "", "201",
			`{"metadata":{"name":"bluegreen-shop","annotations":{"bluegreen.dev/epoch":"1","bluegreen.dev/holder":"ana/1"}}}`, `{"metadata":{"name":"bluegreen-shop","resourceVersion":"3"}}`),
			[]Write{at(Write{Verb: "create", Object: recordName, Code: 201, Epoch: 1, Holder: "ana/1", Revision: 3})}},
		"an eviction": {line("create", "/api/v1/namespaces/shop/pods/blue-1/eviction", "pods", "blue-1", "eviction", "201", `{"kind":"Eviction","metadata":{"name":"blue-1"}}`, `{"kind":"Status","code":201}`),
			[]Write{at(Write{Verb: "create", Object: "pods/blue-1/eviction", Code: 201})}},
		"a pod that is deleted": {line("delete", "/api/v1/namespaces/shop/pods/blue-1", "pods", "blue-1", "", "200", `{"kind":"DeleteOptions"}`, `{"metadata":{"name":"blue-1","resourceVersion":"9"}}`),
			[]Write{at(Write{Verb: "delete", Object: "pods/blue-1", Code: 200, Revision: 9})}},
		"a trial":            {line("patch", servicesURI+"&dryRun=All", "services", "svc-production", "", "200", stamping, answered), nil},
		"a read":             {line("get", servicesURI, "services", "svc-production", "", "200", "", ""), nil},
		"a request to a pod": {line("create", "/api/v1/namespaces/shop/pods/blue-1:8080/proxy/buy", "pods", "blue-1:8080", "proxy", "201", "", ""), nil},
		"another namespace":  {strings.ReplaceAll(line("patch", servicesURI, "services", "svc-production", "", "200", stamping, answered), `"namespace":"shop"`, `"namespace":"other"`), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse([]byte(tt.line), "shop")
			if err != nil {
				t.Fatal(err)
			}
			if difference := cmp.Diff(tt.want, got); difference != "" {
				t.Errorf("writes (-want +got):\n%s", difference)
			}
		})
	}
}

// What can't be read is no log without writes.
func TestUnreadableLogIsAnError(t *testing.T) {
	whole := line("patch", servicesURI, "services", "svc-production", "", "200", stamping, answered)
	for name, text := range map[string]string{
		"half a line":            strings.Replace(whole, `"code":200}`, `"code":`, 1),
		"an epoch of letters":    strings.Replace(whole, `"value":"7"`, `"value":"seven"`, 1),
		"a revision of letters":  strings.Replace(whole, `"resourceVersion":"42"`, `"resourceVersion":"new"`, 1),
		"an address that is one": strings.Replace(whole, `"requestURI":"`, `"requestURI":"%`, 1),
	} {
		if found, err := parse([]byte(text), "shop"); err == nil {
			t.Errorf("%s: read as %v", name, found)
		}
	}
}

// A log is read from where it was, without the line that is being written; one
// that was cut since is an error.
func TestReadFrom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	whole := line("patch", servicesURI, "services", "svc-production", "", "200", stamping, answered)
	if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := Size(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(whole+whole+whole[:100]), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := ReadFrom(path, before, "shop"); err != nil || len(found) != 1 {
		t.Errorf("read %v, %v; want the second line", found, err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := ReadFrom(path, before, "shop"); err == nil {
		t.Errorf("read %v of a log that was cut", found)
	}
	if _, err := Size(path + ".none"); err == nil {
		t.Error("a log that is not there has a size")
	}
}
