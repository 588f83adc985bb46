package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// cluster serves a folder of YAML files as an API server: cluster FOLDER.
// GET of /api/v1/namespaces/shop/services/shop is the file of that path with
// .yaml after it; GET of a folder is the list of its files. A file with
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

// read returns an object, or the list of a folder.
func (s apiServer) read(path string, request *http.Request) ([]byte, error) {
	if request.Method != http.MethodGet {
		return nil, fs.ErrNotExist
	}
	text, err := os.ReadFile(path + ".yaml")
	if err == nil {
		return yaml.YAMLToJSON(text)
	}
	files, listed := filepath.Glob(filepath.Join(path, "*.yaml"))
	if len(files) == 0 || listed != nil {
		return nil, err
	}
	slices.Sort(files)
	var items [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		item, err := yaml.YAMLToJSON(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		items = append(items, item)
	}
	return fmt.Appendf(nil, `{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":"1"},"items":[%s]}`, bytes.Join(items, []byte(","))), nil
}

// refuse answers as an API server does.
func refuse(answer http.ResponseWriter, request *http.Request, code int, reason metav1.StatusReason) {
	parts := strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	resource := parts[len(parts)-1]
	status := metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Reason: reason, Code: int32(code),
		Message: fmt.Sprintf("%s not found", resource),
	}
	if code == http.StatusForbidden {
		status.Message = fmt.Sprintf(`%s is forbidden: User "ana" cannot list resource "%s" in API group "" in the namespace "shop"`, resource, resource)
	}
	answer.Header().Set("Content-Type", "application/json")
	answer.WriteHeader(code)
	_ = json.NewEncoder(answer).Encode(status)
}
