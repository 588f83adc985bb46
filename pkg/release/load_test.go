package release

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// read returns a document of testdata.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLoadFillsEveryField(t *testing.T) {
	loaded, err := Load("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	document := loaded.Release
	want := []Workload{{"deployment", "recommendation-green"}, {"statefulset", "recommendation-cache-green"}}
	if diff := cmp.Diff(want, document.Spec.Colors["green"].Workloads); diff != "" {
		t.Error(diff)
	}
	for _, path := range unset(reflect.ValueOf(*document), "") {
		// Each of these has an alternative that the document uses.
		servers := []string{".Spec.Metrics.Prometheus.URL", ".Spec.Logs.Loki.URL", ".Spec.Dashboard.Grafana.URL", ".Spec.Dashboard.Grafana.Token.Env"}
		alternative := slices.Contains(servers, path) || slices.ContainsFunc([]string{
			"HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "VirtualService", "TraefikService", "IngressRoute", "RouteGroup", "SkipperIngress", "HTTPProxy", "ALBIngress", "NginxIngress", "Custom", "Workers", "Also",
		}, func(route string) bool { return path == ".Spec.Traffic."+route })
		if !alternative && !strings.Contains(path, "[") {
			t.Errorf("%s is not read", path)
		}
	}
	if got := loaded.Problem("spec.traffic.drain", "is wrong", "").Error(); got != "testdata/full.yaml:21:12: spec.traffic.drain: is wrong" {
		t.Errorf("drain: %s", got)
	}
	if got := loaded.Problem("spec.colors.blue.nothing.here", "is wrong", "").Error(); !strings.HasPrefix(got, "testdata/full.yaml:8:7: ") {
		t.Errorf("a missing field is not told at the colour around it: %s", got)
	}
	if diff := cmp.Diff([]string{filepath.Join("testdata", "deploy", "blue")}, loaded.Manifests("blue")); diff != "" {
		t.Error(diff)
	}
}

// unset lists the fields of a value that are zero.
func unset(value reflect.Value, path string) []string {
	switch value.Kind() {
	case reflect.Pointer:
		if value.IsNil() {
			return []string{path}
		}
		return unset(value.Elem(), path)
	case reflect.Struct:
		var found []string
		for i := range value.NumField() {
			found = append(found, unset(value.Field(i), path+"."+value.Type().Field(i).Name)...)
		}
		return found
	case reflect.Slice:
		var found []string
		for i := range value.Len() {
			found = append(found, unset(value.Index(i), path+"[]")...)
		}
		if value.Len() == 0 {
			return []string{path}
		}
		return found
	}
	if value.IsZero() {
		return []string{path}
	}
	return nil
}

func TestLoadTellsAMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "bluegreen.yaml"))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(HintOf(err), "init") {
		t.Errorf("got %v, hint %q", err, HintOf(err))
	}
}

func TestParseToleratesWhatIsNoMistake(t *testing.T) {
	small := read(t, "small.yaml")
	for name, text := range map[string]string{
		"a leading separator":    "---\n" + small,
		"a trailing separator":   small + "---\n",
		"carriage returns":       strings.ReplaceAll(small, "\n", "\r\n"),
		"a byte order mark":      "\ufeff" + small,
		"a watch beyond total":   small + "    watch: 20m\n    deadlines: {total: 15m}\n",
		"an empty section":       small + "  validation:\n  metrics:\n  database: []\n",
		"an alias":               strings.Replace(strings.Replace(small, "  name: shop", "  name: &name shop", 1), "      name: shop", "      name: *name", 1),
		"a comment that is long": "# " + strings.Repeat("x", 1000) + "\n" + small,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse("bluegreen.yaml", []byte(text)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHashIsOfTheMeaning(t *testing.T) {
	small := read(t, "small.yaml")
	hash := func(text string) string {
		loaded, err := Parse("bluegreen.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return loaded.Hash
	}
	same := "# a comment\n" + small + "    watch: 10m\n"
	if hash(small) != hash(same) {
		t.Error("a comment and a written default change the hash")
	}
	if hash(small) == hash(small+"    watch: 11m\n") {
		t.Error("another watch does not change the hash")
	}
}

func TestHintOf(t *testing.T) {
	plain := errors.New("plain")
	if HintOf(plain) != "" || WithHint(nil, "x") != nil || WithHint(plain, "") != plain { //nolint:errorlint // the same error, not one that wraps it
		t.Error("an error without a hint got one")
	}
	err := WithHint(plain, "type this")
	if HintOf(err) != "type this" || !errors.Is(err, plain) || err.Error() != "plain" {
		t.Errorf("got %v, hint %q", err, HintOf(err))
	}
}
