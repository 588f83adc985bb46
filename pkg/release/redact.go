package release

import "regexp"

// hidden stands where a secret was.
const hidden = "***"

// Redacted is a text that somebody else wrote, such as a line of a log,
// without what may be a secret: the password of a URL, an Authorization
// header, a bearer token, and the value of what is named password, secret,
// token or key. It hides too much rather than too little.
func Redacted(text string) string {
	for _, secret := range secrets() {
		text = secret.ReplaceAllString(text, "${1}"+hidden+"${2}")
	}
	return text
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
		// password=x, "password": "x", PGPASSWORD='x y'; the value ends with its quote, or with the word.
		regexp.MustCompile(`(?i)((?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key)["']?\s*[:=]\s*)(?:"[^"]*"?|'[^']*'?|[^\s,;&]+)`),
	}
}
