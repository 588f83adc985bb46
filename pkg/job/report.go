package job

import (
	"encoding/json"
	"strings"
)

// TerminationLog is where a pod leaves its Report for Kubernetes to find.
const TerminationLog = "/dev/termination-log"

// Report is what a pod has to say at its end, its termination message.
type Report struct {
	// Code is the exit code that the same run would have had in the
	// foreground: the pod itself succeeds whatever the result is.
	Code int `json:"code"`
	// Message is one sentence; Hint is what to do about it, or "".
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// reportLimit is below the 4096 bytes that Kubernetes keeps of a termination
// message.
const reportLimit = 3 << 10

// Text is the report as it is left behind, cut to what is kept.
func (r Report) Text() []byte {
	r.Message, r.Hint = cut(r.Message, reportLimit*2/3), cut(r.Hint, reportLimit/3)
	text, err := json.Marshal(r)
	if err != nil {
		return []byte(r.Message)
	}
	return text
}

func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// ParseReport reads a termination message. One that is not a report, such as
// the end of the log of a program that was killed, is its message, and false.
func ParseReport(text string) (Report, bool) {
	report := Report{}
	if err := json.Unmarshal([]byte(text), &report); err != nil || report.Message == "" {
		return Report{Code: 1, Message: strings.TrimSpace(text)}, false
	}
	return report, true
}
