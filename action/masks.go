package action

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// shortestMask is the length, in bytes, under which a value is not masked: the
// "true" of some variable would hide half of a log.
const shortestMask = 6

// hidden stands where a secret was.
const hidden = "***"

// secretName matches the name of a variable whose whole value is a secret.
var secretName = regexp.MustCompile(`(?i)(TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|_KEY|DSN|CREDENTIALS?)$`)

// masks are the secrets that this process was given.
type masks struct {
	values   []string
	replacer *strings.Replacer
}

// masksOf finds the secrets in the variables of the process, NAME=VALUE each, and
// in the words of its arguments.
func masksOf(variables, words []string) *masks {
	found := &masks{}
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		if secretName.MatchString(name) {
			found.add(value)
		}
		for _, secret := range release.SecretsIn(value) {
			found.add(secret)
		}
	}
	for index, word := range words {
		if previous := index - 1; previous >= 0 && (words[previous] == "--token" || words[previous] == "--password") {
			found.add(word)
		}
		for _, secret := range release.SecretsIn(word) {
			found.add(secret)
		}
	}
	// The longest first: one may stand within another, as a password in a URL.
	slices.SortFunc(found.values, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	found.values = slices.Compact(found.values)
	var pairs []string
	for _, value := range found.values {
		pairs = append(pairs, value, hidden)
	}
	found.replacer = strings.NewReplacer(pairs...)
	return found
}

// add adds a secret in the forms in which it may be told: as it is, out of a URL,
// in JSON, and, where it has several lines, line by line.
func (m *masks) add(secret string) {
	forms := []string{secret, strings.TrimSpace(secret)}
	if plain, err := url.PathUnescape(secret); err == nil {
		forms = append(forms, plain)
	}
	for _, form := range slices.Clone(forms) {
		if quoted, err := json.Marshal(form); err == nil {
			forms = append(forms, strings.Trim(string(quoted), `"`))
		}
		if strings.Contains(form, "\n") {
			forms = append(forms, strings.Split(form, "\n")...)
		}
	}
	for _, form := range forms {
		if len(strings.TrimSpace(form)) >= shortestMask {
			m.values = append(m.values, form)
		}
	}
}

// hide is a text without the secrets.
func (m *masks) hide(text string) string { return m.replacer.Replace(text) }
