package release

import (
	"fmt"
	"strings"
)

// DidYouMean is the hint at the known word that a person most likely meant by
// word, or otherwise where none is near.
func DidYouMean(word string, known []string, otherwise string) string {
	if meant := Closest(word, known); meant != "" {
		return fmt.Sprintf("did you mean %q?", meant)
	}
	return otherwise
}

// Closest returns the known word that a person most likely meant by word, or
// "" when none is near: a third of its letters wrong at most, and three of any,
// counting swapped neighbours as one (optimal string alignment distance).
func Closest(word string, known []string) string {
	best, least := "", min(max(1, (len(word)+1)/3), 3)+1
	for _, candidate := range known {
		distance := editDistance(strings.ToLower(word), strings.ToLower(candidate))
		if distance < least && distance < len(candidate) {
			best, least = candidate, distance
		}
	}
	return best
}

// editDistance counts insertions, deletions, substitutions and swaps of
// neighbours. Words longer than any field of ours are not worth the time.
func editDistance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
