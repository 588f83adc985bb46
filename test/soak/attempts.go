package main

import "strings"

// attempts lists those that failed: in full where the part has not passed since,
// else in a line.
func attempts(outcomes []outcome, text func(outcome) string) string {
	last := map[string]bool{}
	for _, found := range outcomes {
		last[found.Part] = found.Passed
	}
	list := strings.Builder{}
	for _, found := range outcomes {
		if found.Passed || found.Missed {
			continue
		}
		told := text(found)
		if last[found.Part] {
			told, _, _ = strings.Cut(told, "\n")
			told += " (passed since)"
		}
		list.WriteString("- " + strings.ReplaceAll(told, "\n", "\n  ") + "\n")
	}
	if list.Len() == 0 {
		return ""
	}
	return "\nAttempts that failed:\n\n" + list.String()
}
