package statement

import "slices"

// dropped are the kinds of objects that DROP names, longer ones first.
func dropped() [][]string {
	return [][]string{
		{"table"}, {"view"}, {"materialized", "view"}, {"index"}, {"sequence"}, {"type"}, {"domain"}, {"schema"}, {"extension"},
		{"foreign", "table"}, {"foreign", "data", "wrapper"}, {"server"}, {"collation"}, {"conversion"}, {"statistics"},
		{"text", "search", "configuration"}, {"text", "search", "dictionary"}, {"text", "search", "parser"}, {"text", "search", "template"},
		{"access", "method"}, {"event", "trigger"}, {"publication"}, {"role"}, {"user"}, {"group"}, {"language"},
		{"procedural", "language"}, {"owned"},
	}
}

// drop reads what follows DROP.
func (r *reader) drop() {
	if kind, found := r.acceptAny("function", "procedure", "routine", "aggregate"); found {
		r.dropRoutines(kind)
		return
	}
	if kind, found := r.acceptAny("trigger", "rule", "policy"); found {
		change := Drop{Kind: kind, IfExists: r.accept("if", "exists"), Name: Name{Name: r.identifier()}}
		r.expect("on")
		change.Table = r.name()
		change.Cascade = r.behavior()
		r.did(change)
		return
	}
	if kind, found := r.acceptAny("operator", "cast", "transform", "subscription"); found {
		r.everything()
		r.did(Drop{Kind: kind})
		return
	}
	if kind, found := r.acceptAny("database", "tablespace"); found {
		exists := r.accept("if", "exists")
		r.did(Drop{Kind: kind, Name: r.name(), IfExists: exists})
		r.everything()
		return
	}
	for _, kind := range dropped() {
		if kind[0] == "user" && r.accept("user", "mapping") {
			r.everything()
			r.did(Drop{Kind: "user mapping"})
			return
		}
		if r.accept(kind...) {
			r.dropObjects(Expression(r.tokens[r.next-len(kind) : r.next]).String())
			return
		}
	}
	r.fail("%s is nothing that is known here", r.here())
}

func (r *reader) dropObjects(kind string) {
	r.accept("by") // DROP OWNED BY
	concurrently := r.accept("concurrently")
	exists := r.accept("if", "exists")
	names := r.names()
	cascade := r.behavior()
	for _, name := range names {
		r.did(Drop{Kind: kind, Name: name, Cascade: cascade, Concurrently: concurrently, IfExists: exists})
	}
}

func (r *reader) dropRoutines(kind string) {
	exists := r.accept("if", "exists")
	for {
		change := Drop{Kind: kind, IfExists: exists, Name: r.name()}
		change.Arguments = r.arguments(kind)
		r.changes = append(r.changes, Change{At: r.at, Action: change})
		if !r.accept(",") {
			break
		}
	}
	if r.behavior() {
		for i, change := range slices.Clone(r.changes) {
			if drop, is := change.Action.(Drop); is {
				drop.Cascade = true
				r.changes[i].Action = drop
			}
		}
	}
}
