package statement

import "strings"

// statement reads by the first word.
func (r *reader) statement() {
	if r.peek().Kind == Meta {
		r.meta()
		return
	}
	switch word := r.take().Value; word {
	case "create":
		r.create()
	case "alter":
		r.alter()
	case "drop":
		r.drop()
	case "truncate":
		r.truncate()
	case "lock":
		r.lock()
	case "begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release":
		r.transaction(word)
	case "set", "reset":
		r.set(word)
	case "do":
		r.do()
	case "select", "with", "insert", "update", "delete", "merge", "values", "table", "call", "copy", "(", "perform":
		r.next--
		r.data(word)
	case "execute":
		r.did(Execute{Text: r.everything().String()})
	default:
		r.other(word)
	}
}

// other reads the statements of one kind or another that need no reading.
func (r *reader) other(word string) {
	switch word {
	case "vacuum", "cluster":
		r.vacuum(word)
	case "reindex":
		r.reindex()
	case "refresh":
		r.expect("materialized", "view")
		concurrently := r.accept("concurrently")
		r.did(RefreshView{Name: r.name(), Concurrently: concurrently})
		r.everything()
	case "grant":
		r.everything()
		r.did(Grant{})
	case "revoke":
		r.revoke()
	case "comment", "analyze", "analyse", "show", "explain", "listen", "notify", "unlisten", "deallocate", "prepare",
		"security", "fetch", "move", "close", "declare", "load":
		r.everything()
		r.did(Harmless{What: word})
	case "discard":
		if r.everything().Mentions("all") {
			r.did(Outside{What: "DISCARD ALL"})
			r.did(Set{Everything: true})
			return
		}
		r.did(Harmless{What: word})
	case "checkpoint":
		r.did(Harmless{What: word})
	case "reassign":
		r.expect("owned", "by")
		r.everything()
		r.did(Alter{Kind: "owner", What: "REASSIGN OWNED"})
	case "import":
		r.expect("foreign", "schema")
		r.everything()
		r.did(Harmless{What: "import foreign schema"})
	default:
		r.next = max(0, r.next-1)
		r.fail("%s begins no statement that is known here", r.here())
	}
}

// meta accepts the commands of psql that change nothing.
func (r *reader) meta() {
	token := r.take()
	command := token.command()
	_, arguments, _ := strings.Cut(token.Value, " ")
	if strings.HasPrefix(command, `\d`) { // \d, \dt and their like describe
		r.did(Harmless{What: command})
		return
	}
	switch command {
	case `\echo`, `\qecho`, `\timing`, `\pset`, `\encoding`, `\x`, `\unrestrict`, `\restrict`:
		r.did(Harmless{What: command})
	case `\set`:
		if strings.HasPrefix(strings.TrimSpace(arguments), "ON_ERROR_STOP") {
			r.did(Harmless{What: command})
			return
		}
		fallthrough
	default:
		r.next--
		r.fail("%s is a command of psql: what it does is not known here", command)
	}
}

func (r *reader) transaction(word string) {
	kind := map[string]TransactionKind{"begin": Begin, "start": Begin, "commit": Commit, "end": Commit,
		"rollback": Rollback, "abort": Rollback, "savepoint": Savepoint, "release": Release}[word]
	rest := r.everything()
	if kind == Rollback && rest.Mentions("to") {
		kind = RollbackTo
	}
	change := Transaction{Kind: kind, Chain: rest.Mentions("chain") && !rest.Mentions("no")}
	if kind == Savepoint || kind == Release || kind == RollbackTo {
		change.Savepoint = rest.at(len(rest) - 1).Value
	}
	r.did(change)
}

// set reads SET [LOCAL|SESSION] name = value and RESET name.
func (r *reader) set(word string) {
	if word == "reset" {
		if r.accept("session", "authorization") || r.accept("time", "zone") {
			r.did(Harmless{What: word})
			return
		}
		if r.accept("all") {
			r.did(Set{Everything: true})
			return
		}
		r.did(Set{Name: r.name().String()})
		return
	}
	local := r.accept("local")
	if !local && r.comes("session") && !r.ahead(1).Is("authorization") && !r.ahead(1).Is("characteristics") {
		r.take()
	}
	switch {
	case r.accept("constraints"), r.accept("transaction"), r.accept("session"), r.accept("role"), r.accept("time", "zone"), r.accept("names"), r.accept("xml"):
		r.everything()
		r.did(Harmless{What: "set"})
		return
	}
	name := r.name().String()
	if !r.accept("=") {
		r.expect("to")
	}
	value := r.everything()
	if len(value) == 0 {
		r.fail("a value is missing")
	}
	setting := Set{Local: local, Name: name}
	if len(value) > 0 && !value[0].Is("default") {
		setting.Value = value[0].Value
		if len(value) > 1 && value[0].Is("-") {
			setting.Value += value[1].Value
		}
	}
	r.did(setting)
}

// tables takes the tables of a TRUNCATE or a LOCK.
func (r *reader) tables() []Name {
	r.accept("table")
	var tables []Name
	for {
		r.accept("only")
		tables = append(tables, r.name())
		r.accept("*")
		if !r.accept(",") {
			return tables
		}
	}
}

func (r *reader) truncate() {
	tables := r.tables()
	if r.accept("restart") || r.accept("continue") {
		r.expect("identity")
	}
	cascade := r.behavior()
	for _, table := range tables {
		r.did(Truncate{Table: table, Cascade: cascade})
	}
}

func (r *reader) lock() {
	tables := r.tables()
	mode := AccessExclusive
	if r.accept("in") {
		mode = r.lockMode()
		r.expect("mode")
	}
	nowait := r.accept("nowait")
	for _, table := range tables {
		r.did(Lock{Table: table, Mode: mode, NoWait: nowait})
	}
}

func (r *reader) lockMode() LockMode {
	for _, mode := range []LockMode{AccessExclusive, AccessShare, RowExclusive, RowShare, ShareUpdateExclusive, ShareRowExclusive, Share, Exclusive} {
		if r.accept(strings.Fields(strings.ToLower(mode.String()))...) {
			return mode
		}
	}
	r.fail("%s is no mode of a lock", r.here())
	return AccessExclusive
}

// vacuum reads VACUUM and CLUSTER. Both refuse to run in a transaction where
// they name no table; VACUUM always does.
func (r *reader) vacuum(word string) {
	full := r.accept("full")
	for r.comes("freeze") || r.comes("verbose") || r.comes("analyze") || r.comes("analyse") {
		r.take()
	}
	if r.comes("(") {
		options := r.parenthesised()
		full = full || options.enables("full")
	}
	rewrites := full || word == "cluster"
	if word == "vacuum" {
		r.did(Outside{What: "VACUUM"})
	}
	if r.done() {
		if word == "cluster" {
			r.did(Outside{What: "CLUSTER of every table"})
		}
		if rewrites {
			r.did(RewriteTable{What: strings.ToUpper(word), Everything: true})
		}
		return
	}
	for {
		table := r.name()
		if word == "cluster" && r.accept("on") { // CLUSTER index ON table, the old way
			table = r.name()
		}
		if r.comes("(") {
			r.parenthesised()
		}
		if r.accept("using") {
			r.identifier()
		}
		if rewrites {
			what := "VACUUM FULL"
			if word == "cluster" {
				what = "CLUSTER"
			}
			r.did(RewriteTable{Table: table, What: what})
		}
		if !r.accept(",") {
			return
		}
	}
}

// enables reports whether a list of options, such as (FULL, ANALYZE off), turns
// one on.
func (e Expression) enables(option string) bool {
	for i, token := range e {
		if token.Is(option) {
			return i+1 >= len(e) || !e[i+1].Is("off") && !e[i+1].Is("false") && e[i+1].Value != "0"
		}
	}
	return false
}

func (r *reader) reindex() {
	concurrently := false
	if r.comes("(") {
		concurrently = r.parenthesised().enables("concurrently")
	}
	kind, found := r.acceptAny("index", "table", "schema", "database", "system")
	if !found {
		r.fail("%s is nothing that can be indexed anew", r.here())
		return
	}
	concurrently = r.accept("concurrently") || concurrently
	change := Reindex{Kind: kind, Concurrently: concurrently}
	if !r.done() {
		change.Target = r.name()
	}
	r.did(change)
}
