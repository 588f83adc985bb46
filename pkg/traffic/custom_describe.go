package traffic

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// customSplit says in CEL what customPools says in Go, of places that the Release
// names.
func customSplit(weights map[string][]string) func(string, colorServices) string {
	return func(variable string, colors colorServices) string {
		one, other := pairOf(colors)
		var pairs []string
		for i := range min(len(weights[one]), len(weights[other])) {
			pairs = append(pairs, fmt.Sprintf("[[%s], [%s], [0]]", customWeight(variable, weights[one][i]), customWeight(variable, weights[other][i])))
		}
		return splitOfPairs(one, other, "["+strings.Join(pairs, ", ")+"]")
	}
}

// customWeight is an expression for the number, or the text of one, at a place;
// -1 where there is none, and 0 where null stands, as nobody has written one there.
func customWeight(variable, pointer string) string {
	return fmt.Sprintf(`[dyn(%s.orValue(dyn(-1)))].map(v, type(v) == int || type(v) == double && v >= 0.0 && v <= %d.0 && double(int(v)) == v`+
		` || type(v) == string && string(v).matches("^[0-9]{1,18}$") ? int(v) : type(v) == null_type ? 0 : -1)[0]`, customPlace(variable, pointer), heaviest)
}

// listIndex is a token that is an index, where what it is of is a list.
var listIndex = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`)

// customPlace is an expression for what may stand at a JSON pointer. Nothing does
// where something else than an object or a list is on the way there.
func customPlace(variable, pointer string) string {
	place := "optional.of(" + variable + ")"
	for _, token := range tokens(pointer) {
		step := fmt.Sprintf("type(dyn(v)) == map ? dyn(v)[?%s] : optional.none()", strconv.Quote(token))
		if listIndex.MatchString(token) {
			step = fmt.Sprintf("type(dyn(v)) == list ? dyn(v)[?%s] : ", token) + step
		}
		place += ".optFlatMap(v, " + step + ")"
	}
	return place
}
