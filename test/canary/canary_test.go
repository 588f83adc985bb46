package canary

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A canary is found wherever it may stand, and nothing else is.
func TestFind(t *testing.T) {
	canaries := []string{"canary-one-1f3", "canary/two?é"}
	zipped := func(text string) string {
		var out bytes.Buffer
		writer := gzip.NewWriter(&out)
		_, _ = writer.Write([]byte(text))
		_ = writer.Close()
		return out.String()
	}
	inJSON := func(text string) string {
		out, err := json.Marshal(map[string][]byte{"document": []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	for name, test := range map[string]struct {
		text string
		want []int
	}{
		"none":                   {"all is well, canary-one and bm8gY2FuYXJ5", []int{}},
		"plain":                  {"password=canary-one-1f3;", []int{0}},
		"both":                   {"canary/two?é canary-one-1f3", []int{0, 1}},
		"base64":                 {"data:\n  url: " + base64.StdEncoding.EncodeToString([]byte("as canary/two?é")) + "\n", []int{1}},
		"base64 of URLs":         {"token " + base64.RawURLEncoding.EncodeToString([]byte("??canary/two?é")) + ".", []int{1}},
		"bytes in JSON":          {inJSON("x: canary-one-1f3"), []int{0}},
		"an archive":             {zipped("a canary-one-1f3 b"), []int{0}},
		"a record in an archive": {zipped(inJSON("x: canary-one-1f3")), []int{0}},
		"an archive in base64":   {"binaryData: {run: " + base64.StdEncoding.EncodeToString([]byte(zipped(inJSON("canary-one-1f3")))) + "}", []int{0}},
	} {
		if diff := cmp.Diff(test.want, Find(test.text, canaries)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
