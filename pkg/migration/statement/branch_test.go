package statement

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBranches names tables after whether they are surely dropped: those that
// are begin with "sure".
func TestBranches(t *testing.T) {
	for _, body := range []string{
		"BEGIN DROP TABLE sure1; DROP TABLE sure2; END",
		"DECLARE a int := CASE WHEN x THEN 1 ELSE 2 END; BEGIN DROP TABLE sure; END",
		"BEGIN IF NOT EXISTS (SELECT 1 FROM t) THEN DROP TABLE a; ELSIF y THEN DROP TABLE b; ELSE DROP TABLE c; END IF; DROP TABLE sure; END",
		"BEGIN CASE x WHEN 1, 2 THEN DROP TABLE a; ELSE DROP TABLE b; END CASE; DROP TABLE sure; END",
		"BEGIN a := CASE WHEN x THEN 1 ELSE 2 END; DROP TABLE sure; END",
		"BEGIN IF CASE WHEN x THEN true ELSE false END THEN DROP TABLE a; END IF; DROP TABLE sure; END",
		"BEGIN LOOP DROP TABLE a; END LOOP; DROP TABLE sure; END",
		"BEGIN WHILE x LOOP DROP TABLE a; END LOOP; FOR i IN 1..2 LOOP DROP TABLE b; END LOOP; FOREACH x IN ARRAY y LOOP DROP TABLE c; END LOOP; DROP TABLE sure; END",
		"BEGIN FOR r IN EXECUTE 'SELECT 1' LOOP DROP TABLE a; END LOOP; DROP TABLE sure; END",
		"BEGIN FOR r IN SELECT 1 LOOP IF x THEN DROP TABLE a; END IF; DROP TABLE b; END LOOP; DROP TABLE sure; END",
		"BEGIN DROP TABLE a; EXCEPTION WHEN OTHERS THEN DROP TABLE b; WHEN raise_exception THEN DROP TABLE c; END",
		"#variable_conflict use_column BEGIN DROP TABLE a; EXCEPTION WHEN OTHERS THEN NULL; END",
		"<<outer>> BEGIN DROP TABLE sure1; <<inner>> BEGIN DROP TABLE a; EXCEPTION WHEN OTHERS THEN DROP TABLE b; END inner; DROP TABLE sure2; END",
		"BEGIN BEGIN BEGIN DROP TABLE a; END; DROP TABLE b; EXCEPTION WHEN OTHERS THEN NULL; END; DROP TABLE sure; END",
		"BEGIN DROP TABLE sure; IF x THEN RETURN; END IF; DROP TABLE a; END",
		"<<outer>> BEGIN EXIT outer WHEN x; DROP TABLE a; END",
		"BEGIN RETURN QUERY SELECT 1; RETURN NEXT; DROP TABLE sure; END",
		"BEGIN RAISE EXCEPTION 'x'; DROP TABLE sure; END",
		"BEGIN IF x THEN EXECUTE 'DROP TABLE a'; END IF; EXECUTE 'DROP TABLE sure'; END",
		"END END; BEGIN DROP TABLE sure; END",
	} {
		want, got := []string{}, []string{}
		for _, word := range strings.Fields(body) {
			if name := strings.Trim(word, ";'"); strings.HasPrefix(name, "sure") {
				want = append(want, name)
			}
		}
		for _, read := range Split("DO $$ " + body + " $$")[0].Changes[0].Action.(Do).Code.Statements {
			for _, change := range read.Changes {
				if drop, is := change.Action.(Drop); is && !change.Conditional() {
					got = append(got, drop.Name.Name)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", body, diff)
		}
		if count, wanted := countDrops(body), strings.Count(body, "DROP TABLE"); count != wanted {
			t.Errorf("%s: %d of %d drops are read", body, count, wanted)
		}
	}
}

func countDrops(body string) int {
	count := 0
	for _, read := range Split("DO $$ " + body + " $$")[0].Changes[0].Action.(Do).Code.Statements {
		for _, change := range read.Changes {
			if _, is := change.Action.(Drop); is {
				count++
			}
		}
	}
	return count
}

// TestBranchesOfOneRun: what is in one stretch of a branch runs together.
func TestBranchesOfOneRun(t *testing.T) {
	body := "BEGIN IF x THEN DROP TABLE a; DROP TABLE b; IF y THEN RETURN; END IF; DROP TABLE c; ELSE DROP TABLE d; END IF; END"
	seen := map[Position]string{}
	for _, read := range Split("DO $$ " + body + " $$")[0].Changes[0].Action.(Do).Code.Statements {
		for _, change := range read.Changes {
			seen[change.Branch] += change.Action.(Drop).Name.Name
		}
	}
	got := map[string]bool{}
	for _, names := range seen {
		got[names] = true
	}
	if diff := cmp.Diff(map[string]bool{"ab": true, "c": true, "d": true}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
