package traffic

import (
	"errors"
	"strings"
	"testing"
)

func TestSelected(t *testing.T) {
	plain := colorSelectors{"blue": {"version": "blue"}, "green": {"version": "green"}}
	uneven := colorSelectors{"blue": {"version": "blue"}, "green": {"version": "green", "track": "next"}}
	for name, test := range map[string]struct {
		colors   colorSelectors
		selector map[string]string
		want     string
		fault    string
	}{
		"blue":                     {plain, map[string]string{"app": "shop", "version": "blue"}, "blue", ""},
		"green":                    {plain, map[string]string{"app": "shop", "version": "green"}, "green", ""},
		"the key is missing":       {plain, map[string]string{"app": "shop"}, "", "no key version"},
		"a value of no colour":     {plain, map[string]string{"version": "purple"}, "", "version=purple, which is of no colour (blue is blue, green is green)"},
		"no selector":              {plain, nil, "", "no selector"},
		"uneven, blue":             {uneven, map[string]string{"version": "blue"}, "blue", ""},
		"uneven, green":            {uneven, map[string]string{"version": "green", "track": "next"}, "green", ""},
		"uneven, half of green":    {uneven, map[string]string{"version": "green"}, "", "matches no colour"},
		"uneven, green's key left": {uneven, map[string]string{"version": "blue", "track": "next"}, "", "key track of another colour"},
		"both at once":             {colorSelectors{"blue": {"app": "shop"}, "green": {"app": "shop"}}, map[string]string{"app": "shop"}, "", "blue and green at once"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.colors.selected(test.selector)
			if test.fault == "" {
				if err != nil || got != test.want {
					t.Errorf("got %q, %v; want %q", got, err, test.want)
				}
				return
			}
			if !errors.Is(err, ErrNoColor) || !strings.Contains(err.Error(), test.fault) {
				t.Errorf("got %q, %v; want %q in it", got, err, test.fault)
			}
		})
	}
}

func TestValidateColors(t *testing.T) {
	for name, test := range map[string]struct {
		colors colorSelectors
		fault  string
	}{
		"good":              {colorSelectors{"blue": {"version": "blue"}, "green": {"version": "green"}}, ""},
		"one colour":        {colorSelectors{"blue": {"version": "blue"}}, "has 1"},
		"no selector":       {colorSelectors{"blue": {"version": "blue"}, "green": {}}, "green has no selector"},
		"the same":          {colorSelectors{"blue": {"app": "shop"}, "green": {"app": "shop"}}, "no label has one value"},
		"nothing in common": {colorSelectors{"blue": {"a": "1"}, "green": {"b": "1"}}, "no label has one value"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.colors.validate()
			if (err != nil) != (test.fault != "") || err != nil && !strings.Contains(err.Error(), test.fault) {
				t.Errorf("err = %v, want %q in it", err, test.fault)
			}
		})
	}
}
