package release

import (
	"slices"
	"strings"
	"testing"
)

// No secret of a line is repeated, and what is none stays.
func TestRedacted(t *testing.T) {
	for line, want := range map[string]string{
		"fatal: dial postgres://shop:planted@db:5432/shop?sslmode=require": "fatal: dial postgres://shop:***@db:5432/shop?sslmode=require",
		"postgres://user:planted@host/db":                                  "postgres://user:***@host/db",
		"postgres://shop:pl/ant@ed@db/shop":                                "postgres://shop:***@db/shop",
		"redis://:planted@cache:6379":                                      "redis://:***@cache:6379",
		"FATAL host=db user=shop password=planted dbname=shop":             "FATAL host=db user=shop password=*** dbname=shop",
		"password = 'planted and more' host=db":                            "password = *** host=db",
		`{"level":"fatal","db_password":"planted","msg":"no database"}`:    `{"level":"fatal","db_password":***,"msg":"no database"}`,
		"PGPASSWORD=planted":                                               "PGPASSWORD=***",
		"Authorization: Bearer planted":                                    "Authorization: ***",
		"Authorization: Basic planted, Host: shop":                         "Authorization: ***, Host: shop",
		`{"authorization":"Bearer planted","msg":"panic"}`:                 `{"authorization":"***","msg":"panic"}`,
		"refused Bearer planted":                                           "refused Bearer ***",
		"client_secret: planted":                                           "client_secret: ***",
		"GET /?access_token=planted&page=2":                                "GET /?access_token=***&page=2",
		"api-key=planted":                                                  "api-key=***",
		"token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.planted-x of shop": "token *** of shop",
		"panic: runtime error: index out of range":                         "panic: runtime error: index out of range",
		"sorry, too many clients already (SQLSTATE 53300)":                 "sorry, too many clients already (SQLSTATE 53300)",
		"FATAL: password authentication failed for user \"shop\"":          "FATAL: password authentication failed for user \"shop\"",
		"dial http://shop:8080/health":                                     "dial http://shop:8080/health",
	} {
		got := Redacted(line)
		if got != want || strings.Contains(got, "planted") {
			t.Errorf("%q is %q, want %q", line, got, want)
		}
	}
}

// What looks like a secret in a text is found whole, for it to be looked for in
// others.
func TestSecretsIn(t *testing.T) {
	for text, want := range map[string][]string{
		"password: planted":                             {"planted"},
		`{"api_key":"planted key","mode":"on"}`:         {"planted key"},
		"host=db password='planted words' user=me":      {"planted words"},
		"url: postgres://shop:planted@db/shop":          {"planted"},
		`{"dsn":"redis://:pl@nted@cache","mail":"x@y"}`: {`pl@nted@cache","mail":"x`, "pl"},
		"Authorization: Bearer planted":                 {"Bearer planted", "planted"},
		"region: eu-west-1":                             nil,
	} {
		if got := SecretsIn(text); !slices.Equal(got, want) {
			t.Errorf("%q holds %q, want %q", text, got, want)
		}
	}
}
