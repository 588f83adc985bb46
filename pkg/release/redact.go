package release

import (
	"regexp"
	"slices"
	"strings"
)

// hidden stands where a secret was.
const hidden = "***"

// shortestSecret is the length, in bytes, under which a value is not looked for
// in texts: "true" or "5432" in a Secret would hide half of a log.
const shortestSecret = 6

// Redactor takes secrets out of texts that somebody else wrote, such as the
// lines of a log.
type Redactor struct {
	known    *strings.Replacer
	patterns []*regexp.Regexp
}

// NewRedactor returns a Redactor that hides the values given, wherever they
// stand, and what looks like a secret: the password of a URL, an Authorization
// header, a bearer token, a JSON Web Token, such as a pod has of its service
// account, and the value of what is named password, secret, token or key. It
// hides too much rather than too little. Values of less than six bytes are left
// to the looks.
func NewRedactor(values ...string) Redactor {
	values = slices.DeleteFunc(slices.Clone(values), func(value string) bool { return len(value) < shortestSecret })
	// The longest first: one may stand within another, as a password in a URL.
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, value := range slices.Compact(values) {
		pairs = append(pairs, value, hidden)
	}
	return Redactor{known: strings.NewReplacer(pairs...), patterns: secrets()}
}

// Redact returns the text without secrets.
func (r Redactor) Redact(text string) string {
	text = r.known.Replace(text)
	for _, secret := range r.patterns {
		text = secret.ReplaceAllString(text, "${1}"+hidden+"${2}")
	}
	return text
}

// Redacted is a single text without what looks like a secret; a Redactor does
// many texts faster.
func Redacted(text string) string { return NewRedactor().Redact(text) }

// SecretsIn are the values in a text that look like secrets, as Redacted would
// hide them, without their quotes. The password of a URL is told twice where it
// may end at one @ or at another.
func SecretsIn(text string) []string {
	var found []string
	for _, secret := range secrets() {
		for _, at := range secret.FindAllStringSubmatchIndex(text, -1) {
			from, to := at[0], at[1]
			if len(at) > 2 {
				from = at[3]
			}
			if len(at) > 4 {
				to = at[4]
			}
			value := strings.Trim(text[from:to], `"'`)
			found = append(found, value)
			if first, _, more := strings.Cut(value, "@"); more && len(at) > 4 {
				found = append(found, first)
			}
		}
	}
	return found
}

// secrets match what must not be repeated; the groups, what stands before and
// after it, may be.
func secrets() []*regexp.Regexp {
	return []*regexp.Regexp{
		// The password of a URL, which may hold @ and / when somebody forgot to escape it.
		regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://[^\s:/@]*:)\S*(@)`),
		// Authorization: Basic dXNlcjpwYXNz
		regexp.MustCompile(`(?i)(\bauthorization["']?\s*[:=]\s*["']?)(?:[a-z]+\s+)?[^\s"',;]+`),
		regexp.MustCompile(`(?i)(\bbearer\s+)[^\s"',;]+`),
		// A JSON Web Token: two objects in base64, and a signature (RFC 7519, section 3).
		regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`),
		// password=x, "password": "x", PGPASSWORD='x y'; the value ends with its quote, or with the word.
		regexp.MustCompile(`(?i)((?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key)["']?\s*[:=]\s*)(?:"[^"]*"?|'[^']*'?|[^\s,;&]+)`),
	}
}
