package crash

// Sample is a selection of a matrix: of the first point of a run the first
// case, of the second the second, and so on in turn, and of each point every
// further one that is so many later. With 4 every point is killed once, and each
// side of it and way to go on as often as any other; with 8 half of them are.
func Sample(cases []Case, every int) []Case {
	type place struct {
		command string
		point   Point
	}
	number, seen, points := map[place]int{}, map[place]int{}, map[string]int{}
	var chosen []Case
	for _, found := range cases {
		at := place{found.Steps[0].Command, found.Steps[0].Kill.Point}
		if seen[at] == 0 {
			number[at] = points[at.command]
			points[at.command]++
		}
		if (seen[at]-number[at])%every == 0 {
			chosen = append(chosen, found)
		}
		seen[at]++
	}
	return chosen
}
