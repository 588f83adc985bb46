package main

import (
	"strings"
	"testing"
)

// A lab has the addons of what is done in it, and no others.
func TestAddonFlags(t *testing.T) {
	for name, test := range map[string]struct {
		chosen options
		want   string
	}{
		"all kinds":        {options{parts: everything()}, "--with gateway --with mesh --with skipper"},
		"no kills":         {options{parts: "races,faults"}, ""},
		"kinds by name":    {options{parts: "kills", wanted: "^(routegroup|service)$"}, "--with skipper"},
		"a Service":        {options{parts: "kills", wanted: "^service$"}, ""},
		"the mesh's kinds": {options{parts: "tools,kills", wanted: "^virtualservice"}, "--with mesh"},
	} {
		if got, err := addonFlags(test.chosen); err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, test.want)
		}
	}
	for says, chosen := range map[string]options{
		`no kind of route is called so`: {parts: "kills", wanted: "ferry"},
		"read --drivers":                {parts: "kills", wanted: "("},
		`--parts has "naps"`:            {parts: "naps"},
	} {
		if _, err := addonFlags(chosen); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", chosen, err, says)
		}
	}
}
