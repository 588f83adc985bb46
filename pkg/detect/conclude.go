package detect

import "fmt"

// conclude says in a sentence which driver serves the subject, or why none can.
// What has both colours in it goes before what might have, and what the Release
// declares before the rest.
func (r *Report) conclude() {
	both := func(one Finding) bool { return one.Driver != nil && one.Colors.Standing == StandBoth }
	served := r.first(func(one Finding) bool { return both(one) && one.Declared })
	if served == nil {
		served = r.first(both)
	}
	if served != nil {
		r.Verdict = Served
		r.Answer = fmt.Sprintf("spec.traffic.%s serves it, by %s", served.Driver.Field, place(served))
		return
	}
	if possible := r.first(func(one Finding) bool { return one.Driver != nil && one.Colors.Standing == StandUnknown }); possible != nil {
		r.Verdict = Possible
		r.Answer = fmt.Sprintf("spec.traffic.%s would serve it, by %s, once a Release says which the colours are", possible.Driver.Field, place(possible))
		return
	}
	if possible := r.first(func(one Finding) bool { return one.Driver != nil }); possible != nil {
		r.Verdict = Possible
		r.Answer = fmt.Sprintf("spec.traffic.%s would serve it, by %s, once both colours stand there", possible.Driver.Field, place(possible))
		return
	}
	if len(r.Findings) > 0 {
		r.Verdict = Impossible
		last := r.Findings[len(r.Findings)-1]
		r.Answer = fmt.Sprintf("no driver can move it: %s: %s", place(&last), last.Why)
		return
	}
	r.Verdict = Nothing
	r.Answer = fmt.Sprintf("nothing that was looked at routes to %s", r.Subject)
}

// first is the first finding of which something is true, nil for none.
func (r *Report) first(is func(Finding) bool) *Finding {
	for i := range r.Findings {
		if is(r.Findings[i]) {
			return &r.Findings[i]
		}
	}
	return nil
}

func place(one *Finding) string {
	return fmt.Sprintf("%s in namespace %s", one.Object, one.Namespace)
}
