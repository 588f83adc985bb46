package statement

// branches follow the blocks of a body of PL/pgSQL, to tell which of its
// statements surely run. One inside IF, CASE or a loop may not; what stands in a
// block with EXCEPTION may be undone; and behind RETURN and EXIT, which leave
// what they stand in, nothing is sure any more.
type branches struct {
	stretches []stretch
	open      []block
	// expressions are the CASEs of an expression that are not ended.
	expressions int
	left        Position
}

// stretch is a part of a body of which all runs, or nothing.
type stretch struct {
	around int
	begins Position
	unsure bool
}

type block struct {
	stretch int
	// chooses: THEN and ELSE begin a branch of it.
	chooses bool
}

// place is where a statement stands.
type place struct {
	stretch int
	left    Position
}

func newBranches() *branches { return &branches{stretches: []stretch{{}}} }

// pass takes a token that belongs to no statement of SQL. first: a statement of
// PL/pgSQL may begin with it; it reports whether one may begin behind it.
func (b *branches) pass(token, next Token, first bool) bool {
	if (first || token.Is("begin")) && b.begins(token, next) {
		return token.Is("begin") || token.Is("loop") || token.Is("else")
	}
	switch {
	case token.Is(";"):
		b.expressions = 0
		return true
	case token.Is(">>"), token.Is("declare"): // a label, or nothing declared
		return true
	case token.Is("case"):
		b.expressions++
	case token.Is("end"):
		b.expressions = max(0, b.expressions-1)
	case token.Is("loop"):
		return true
	case token.Is("then") && b.expressions == 0:
		b.branch(token.At)
		return true
	}
	return false
}

// begins takes the word that a statement of PL/pgSQL begins with.
func (b *branches) begins(token, next Token) bool {
	switch {
	case token.Is("begin"):
		b.enter(block{}, token.At, false)
	case token.Is("if"), token.Is("case"):
		b.enter(block{chooses: true}, token.At, true)
	case token.Is("loop"), token.Is("while"), token.Is("for"), token.Is("foreach"):
		b.enter(block{}, token.At, true)
	case token.Is("else"):
		b.branch(token.At)
	case token.Is("exception") && len(b.open) > 0:
		innermost := &b.open[len(b.open)-1]
		b.stretches[innermost.stretch].unsure, innermost.chooses = true, true
	case token.Is("return") && !next.Is("next") && !next.Is("query"), token.Is("exit"), token.Is("continue"):
		b.left = token.At
	case token.Is("end"):
		b.open = b.open[:max(0, len(b.open)-1)]
	default:
		return false
	}
	return true
}

func (b *branches) enter(entered block, at Position, unsure bool) {
	entered.stretch = b.stretch(stretch{around: b.current(), begins: at, unsure: unsure})
	b.open = append(b.open, entered)
}

// branch begins another branch of the innermost block.
func (b *branches) branch(at Position) {
	if len(b.open) == 0 || !b.open[len(b.open)-1].chooses {
		return
	}
	innermost := &b.open[len(b.open)-1]
	innermost.stretch = b.stretch(stretch{around: b.stretches[innermost.stretch].around, begins: at, unsure: true})
}

func (b *branches) stretch(begun stretch) int {
	b.stretches = append(b.stretches, begun)
	return len(b.stretches) - 1
}

func (b *branches) current() int {
	if len(b.open) == 0 {
		return 0
	}
	return b.open[len(b.open)-1].stretch
}

func (b *branches) place() place { return place{stretch: b.current(), left: b.left} }

// settle tells statements their branches, once the end of the body shows which
// blocks have an EXCEPTION.
func (b *branches) settle(statements []Statement, places []place) {
	unsure := make([]Position, len(b.stretches))
	for i, one := range b.stretches {
		if unsure[i] = unsure[one.around]; one.unsure {
			unsure[i] = one.begins
		}
	}
	for i := range statements {
		branch := unsure[places[i].stretch]
		if left := places[i].left; branch.before(left) {
			branch = left
		}
		if branch == (Position{}) {
			continue
		}
		for j := range statements[i].Changes {
			statements[i].Changes[j].Branch = branch
		}
	}
}
