package plugintest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// cluster serves a folder of YAML files as an API server: cluster FOLDER.
// GET of /api/v1/namespaces/shop/services/shop is the file of that path with
// .yaml after it; GET of a resource is the list of its files. A file with
// .forbidden after its path is answered with 403. Everything else is not
// there, and nothing can be written: what needs a real cluster is tested on
// one.
func cluster(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 1 {
		ts.Fatalf("usage: cluster FOLDER")
	}
	server := httptest.NewServer(apiServer{root: ts.MkAbs(args[0])})
	ts.Defer(server.Close)
	address, err := url.Parse(server.URL)
	ts.Check(err)
	writeKubeconfig(ts, address.Host)
}

// apiServer answers GET from a folder.
type apiServer struct{ root string }

func (s apiServer) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	path := filepath.Join(s.root, filepath.FromSlash(request.URL.Path))
	if _, err := os.Stat(path + ".forbidden"); err == nil {
		refuse(answer, request, http.StatusForbidden, metav1.StatusReasonForbidden)
		return
	}
	body, err := s.read(path, request)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		refuse(answer, request, http.StatusNotFound, metav1.StatusReasonNotFound)
	case err != nil:
		http.Error(answer, err.Error(), http.StatusInternalServerError)
	default:
		answer.Header().Set("Content-Type", "application/json")
		_, _ = answer.Write(body)
	}
}

// read returns an object, or the list of a resource.
func (s apiServer) read(path string, request *http.Request) ([]byte, error) {
	if request.Method != http.MethodGet {
		return nil, fs.ErrNotExist
	}
	if !isList(request.URL.Path) {
		text, err := os.ReadFile(path + ".yaml")
		if err != nil {
			return nil, err
		}
		return yaml.YAMLToJSON(text)
	}
	selector, err := labels.Parse(request.URL.Query().Get("labelSelector"))
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(path, "*.yaml"))
	if err != nil {
		return nil, err
	}
	list := struct {
		metav1.TypeMeta `json:",inline"`
		Items           []map[string]any `json:"items"`
	}{Items: []map[string]any{}}
	for _, file := range files {
		item := unstructured.Unstructured{}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(text, &item.Object); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if selector.Matches(labels.Set(item.GetLabels())) {
			list.APIVersion, list.Kind = item.GetAPIVersion(), item.GetKind()+"List" // a dynamic client insists on them
			list.Items = append(list.Items, item.Object)
		}
	}
	return json.Marshal(list)
}

// isList tells /api/v1/namespaces/NAMESPACE/RESOURCE, and the same under
// /apis/GROUP/VERSION, from the path of one object.
func isList(path string) bool {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	return len(parts) > 2 && parts[len(parts)-3] == "namespaces"
}

// refuse answers as an API server does.
func refuse(answer http.ResponseWriter, request *http.Request, code int, reason metav1.StatusReason) {
	parts := strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	verb, resource, object := "list", parts[len(parts)-1], ""
	if !isList(request.URL.Path) {
		verb, resource, object = "get", parts[len(parts)-2], parts[len(parts)-1]
	}
	status := metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Reason: reason, Code: int32(code),
		Message: fmt.Sprintf("%s %q not found", resource, object),
	}
	if code == http.StatusForbidden {
		status.Message = fmt.Sprintf(`%s %q is forbidden: User "ana" cannot %s resource %q in API group "" in the namespace "closed"`, resource, object, verb, resource)
	}
	answer.Header().Set("Content-Type", "application/json")
	answer.WriteHeader(code)
	_ = json.NewEncoder(answer).Encode(status)
}
