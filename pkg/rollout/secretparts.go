package rollout

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// parts are what of a secret may stand in a text: the whole of it; each of its
// lines, for texts are searched line by line; and, where it is a file or a
// connection string with more in it, what looks like a secret there. Each is as
// it may be written.
func parts(secret string) []string {
	found := []string{base64.StdEncoding.EncodeToString([]byte(secret))}
	for line := range strings.Lines(secret) {
		line = strings.TrimSpace(line)
		found = append(found, spellings(line)...)
		for _, value := range release.SecretsIn(line) {
			found = append(found, spellings(value)...)
			if meant, err := url.PathUnescape(value); err == nil && meant != value {
				found = append(found, spellings(meant)...)
			}
		}
	}
	return found
}

// spellings are the ways in which a value stands in logs: as it is, in JSON as
// most and as Go write it, in a URL, and in base64 as in a Secret's own data.
func spellings(value string) []string {
	ways := []string{value, url.QueryEscape(value), url.PathEscape(value), base64.StdEncoding.EncodeToString([]byte(value))}
	for _, escaped := range []bool{true, false} {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(escaped)
		if encoder.Encode(value) == nil {
			quoted := strings.TrimSpace(text.String())
			ways = append(ways, quoted[1:len(quoted)-1])
		}
	}
	return ways
}
