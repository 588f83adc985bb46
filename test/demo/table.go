package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// row is a chapter in the closing table.
type row struct {
	title string
	// codes are the exit codes of the chapter's commands that matter.
	codes string
	took  time.Duration
	seen  timeline
	told  bool
}

// closing writes the table of all chapters.
func closing(out io.Writer, rows []row) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "\nCHAPTER\tEXIT CODE\tSECONDS\tREQUESTS\tFAILED\tENDED")
	for number, r := range rows {
		ended := "as told"
		if !r.told {
			ended = "NOT AS TOLD"
		}
		fmt.Fprintf(table, "%d. %s\t%s\t%.1f\t%d\t%d\t%s\n", number+1, r.title, r.codes, r.took.Seconds(), r.seen.requests(), r.seen.failed(), ended)
	}
	return table.Flush()
}
