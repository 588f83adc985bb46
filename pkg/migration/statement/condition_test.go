package statement

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConjuncts(t *testing.T) {
	for condition, want := range map[string][]string{
		"a > 0":                                {"a > 0"},
		"(a > 0)":                              {"a > 0"},
		"(a) > (b)":                            {"(a) > (b)"},
		"a > 0 AND (b > 0 AND (c > 0)) AND d":  {"a > 0", "b > 0", "c > 0", "d"},
		"a BETWEEN 1 AND 2 AND b":              {"a between 1 and 2", "b"},
		"a > 0 OR b > 0 AND c > 0":             {"a > 0 or b > 0", "c > 0"},
		"((a BETWEEN 1 AND 2) AND (b = f(c)))": {"a between 1 and 2", "b = f(c)"},
	} {
		got := []string{}
		for _, part := range Expression(Split(condition)[0].Tokens).Conjuncts() {
			got = append(got, part.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", condition, diff)
		}
	}
}

func TestComparison(t *testing.T) {
	for condition, want := range map[string]string{
		"a > 0":                 "a > 0",
		"((a <= (-1)))":         "a <= -1",
		"0 = a":                 "a = 0",
		"a = 'x'::text":         "a = x",
		"a = true":              "a = true",
		"0 < a":                 "",
		"a > b":                 "",
		"a > 0 AND b > 0":       "",
		"true = false":          "",
		"a = '1'::integer":      "",
		"a = 'x'::text || b":    "",
		"a + 1 = 2":             "",
		"a":                     "",
		"f(a) = 1":              "",
		"a = 1 = b":             "",
		"'x' = 'y' = a":         "",
		"a::smallint = 1":       "",
		"a = 'x' COLLATE \"C\"": "",
	} {
		column, operator, constant := Expression(Split("CALL " + condition)[0].Tokens[1:]).Comparison()
		got := strings.TrimSpace(column + " " + operator + " " + constant.Value)
		if got != want {
			t.Errorf("%s: %q, want %q", condition, got, want)
		}
	}
}

func TestCompared(t *testing.T) {
	for condition, want := range map[string]string{
		"a > 0":                     "a",
		"t.a = b + 1":               "a b",
		`"A" ~ 'x'`:                 "A",
		"length(a) > 3":             "a",
		"a <= now()":                "a",
		"a::text LIKE 'x%'":         "a",
		"a IN (1, 2)":               "a",
		"a BETWEEN 1 AND 2":         "a",
		"a IN (b)":                  "",
		"a BETWEEN b AND 2":         "",
		"a IN (1) = b":              "",
		"a IS NULL":                 "",
		"a ISNULL":                  "",
		"a = 1 OR b = 1":            "",
		"NOT a":                     "",
		"coalesce(a, 1) = 1":        "",
		"s.length(a) = 1":           "",
		"(a, b) = (1, 2)":           "",
		"a = ANY (b)":               "",
		"a || b = c":                "",
		"a IS DISTINCT FROM b":      "",
		"CASE a WHEN 1 THEN b END":  "",
		"a OPERATOR(s.=) b":         "",
		"(a, b) OVERLAPS (c, d)":    "",
		"'x'::\"a\" = b":            "b",
		"a->>'k' = 'x'":             "a",
		"a IN (1, 2) AND true":      "",
		"a BETWEEN 1 AND f(2)":      "",
		"a BETWEEN 1 AND length(b)": "",
	} {
		names, plain := Expression(Split(condition)[0].Tokens).Compared(func(function string) bool { return function == "length" })
		got := ""
		for i, name := range names {
			if i > 0 {
				got += " "
			}
			got += name
		}
		if got != want || plain != (want != "") {
			t.Errorf("%s: compares %q (%t), want %q", condition, got, plain, want)
		}
	}
}
