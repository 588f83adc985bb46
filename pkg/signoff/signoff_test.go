package signoff

import (
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func kind(t *testing.T, id string) Kind {
	t.Helper()
	found, err := KindOf(id)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestNewRefusesWhatNobodyCanAnswerFor(t *testing.T) {
	for name, test := range map[string]struct{ id, by, until, note, says, hint string }{
		"today":             {RollbackDrill, "ana", "2026-11-22", "", "", ""},
		"a quarter":         {RollbackDrill, "ana", "2027-02-22", "in staging", "", ""},
		"more":              {RollbackDrill, "ana", "2027-02-23", "", "92 days at most", "--until 2027-02-22"},
		"a load for longer": {DualLoad, "ana", "2027-02-23", "", "", ""},
		"for ever":          {DualLoad, "ana", "9999-12-31", "", "366 days at most", "--until 2027-11-23"},
		"yesterday":         {RollbackDrill, "ana", "2026-11-21", "", "--until 2026-11-21: that day has passed", "--until"},
		"no day":            {RollbackDrill, "ana", "soon", "", `--until "soon": expected a day`, "--until"},
		"no until":          {RollbackDrill, "ana", "", "", `--until ""`, "--until"},
		"nobody":            {RollbackDrill, "  ", "2026-12-01", "", "--by: it is empty", "--by"},
		"two lines":         {RollbackDrill, "ana\nbob", "2026-12-01", "", "--by", "--by"},
		"a long note":       {RollbackDrill, "ana", "2026-12-01", strings.Repeat("x", 1001), "--note", "report"},
		"a password":        {RollbackDrill, "ana", "2026-12-01", "seen at postgres://shop:kept-to-itself@db/shop", "--note: it looks as if", "without"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(kind(t, test.id), test.by, test.until, test.note, noon)
			switch {
			case test.says == "" && err != nil:
				t.Error(err)
			case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(release.HintOf(err), test.hint)):
				t.Errorf("%v, hint %q; want %q, hint %q", err, release.HintOf(err), test.says, test.hint)
			case err != nil && strings.Contains(err.Error(), "kept-to-itself"):
				t.Errorf("the secret is told: %v", err)
			}
		})
	}
}

func TestKindOf(t *testing.T) {
	if found := kind(t, "bg-tst-02"); found.ID != RollbackDrill {
		t.Errorf("found %s", found.ID)
	}
	if _, err := KindOf("BG-TST-2"); err == nil || !strings.Contains(release.HintOf(err), `did you mean "BG-TST-02"`) {
		t.Errorf("%v, hint %q", err, release.HintOf(err))
	}
	if _, err := KindOf("everything"); err == nil || !strings.HasPrefix(release.HintOf(err), "known: ") {
		t.Errorf("%v, hint %q", err, release.HintOf(err))
	}
}

func TestJudge(t *testing.T) {
	images := func(reference, digest string) Binding {
		return Binding{Images: []Image{{Workload: "deployment/shop-green", Container: "app", Reference: reference, Digest: digest}}}
	}
	signed := func(until release.Date, to Binding) Entry {
		return Entry{SignOff: SignOff{By: "ana", Until: until, Signed: noon, Binding: to}}
	}
	one, other := "sha256:1", "sha256:2"
	for name, test := range map[string]struct {
		id      string
		entry   Entry
		absent  bool
		now     Binding
		problem string
		after   int // days
		want    State
		says    string
	}{
		"the same images":               {DualLoad, signed("2026-12-01", images("shop:v2", one)), false, images("shop:v2", one), "", 0, Signed, "by ana on 2026-11-22 until 2026-12-01"},
		"the last day":                  {DualLoad, signed("2026-12-01", images("shop:v2", one)), false, images("shop:v2", one), "", 9, Signed, ""},
		"the day after":                 {DualLoad, signed("2026-12-01", images("shop:v2", one)), false, images("shop:v2", one), "", 10, Expired, "expired since 2026-12-02"},
		"no pod tells the digest":       {DualLoad, signed("2026-12-01", images("shop:v2", one)), false, images("shop:v2", ""), "", 0, Signed, ""},
		"another tag":                   {DualLoad, signed("2026-12-01", images("shop:v2", one)), false, images("shop:v3", one), "", 0, Unfit, "given for shop:v2@sha256:1 in container app of deployment/shop-green, which is shop:v3@sha256:1 now"},
		"the tag was moved":             {DualLoad, signed("2026-12-01", images("shop:v2", one)), false, images("shop:v2", other), "", 0, Unfit, "which is shop:v2@sha256:2 now"},
		"a container more":              {DualLoad, signed("2026-12-01", Binding{}), false, images("shop:v2", one), "", 0, Unfit, "not given for container app"},
		"a container less":              {DualLoad, signed("2026-12-01", images("shop:v2", one)), false, Binding{}, "", 0, Unfit, "which is gone"},
		"what runs is not known":        {DualLoad, signed("2026-12-01", images("shop:v2", one)), false, Binding{}, "forbidden", 0, Unsure, "forbidden"},
		"another kind of route":         {RollbackDrill, signed("2026-12-01", Binding{Routes: []string{"service"}}), false, Binding{Routes: []string{"httproute"}}, "", 0, Unfit, "given for service, and the route is httproute"},
		"nobody":                        {RollbackDrill, Entry{}, true, Binding{}, "", 0, Absent, "nobody has signed off"},
		"unreadable":                    {RollbackDrill, Entry{Problem: "it says nobody in by"}, false, Binding{}, "", 0, Unreadable, "key BG-TST-02: it says nobody"},
		"for ever, by hand":             {RollbackDrill, signed("2999-01-01", Binding{}), false, Binding{}, "", 0, Unreadable, "more than 92 days"},
		"signed in the future, by hand": {RollbackDrill, signed("2026-12-01", Binding{}), false, Binding{}, "", -200, Unreadable, "more than 92 days"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Judge(kind(t, test.id), test.entry, !test.absent, test.now, test.problem, noon.AddDate(0, 0, test.after))
			if got.State != test.want || !strings.Contains(got.Reason, test.says) {
				t.Errorf("%s: %s; want %s with %q", got.State, got.Reason, test.want, test.says)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{"", "ana", `{"by":"ana"}`, `{"by":"ana","until":"2026-12-01","signed":"2026-11-22T12:00:00Z"}`, `{"by":1}`, "null", `{"until":"2026-13-01"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		entry := decode(text)
		if _, dated := entry.SignOff.Until.Ends(); entry.Problem == "" && (strings.TrimSpace(entry.SignOff.By) == "" || !dated) {
			t.Errorf("%q is read as a sign-off", text)
		}
		for _, kind := range Kinds() {
			if state := Judge(kind, entry, true, Binding{}, "", noon).State; entry.Problem != "" && state != Unreadable {
				t.Errorf("%q is %s", text, state)
			}
		}
	})
}

// A sign-off counts through its day in UTC, and not a moment longer.
func TestASignOffEndsWithItsDay(t *testing.T) {
	midnight := time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)
	entry := Entry{SignOff: SignOff{By: "ana", Until: "2026-12-01", Signed: noon}}
	for at, want := range map[time.Time]State{midnight.Add(-time.Nanosecond): Signed, midnight: Expired} {
		if got := Judge(kind(t, RollbackDrill), entry, true, Binding{}, "", at); got.State != want {
			t.Errorf("at %s: %s, want %s", at, got.State, want)
		}
	}
}
