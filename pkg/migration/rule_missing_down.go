package migration

import (
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

const ruleMissingDown = "missing-down"

func missingDown() Rule {
	return Rule{
		ID: ruleMissingDown, Class: BreaksLater, Title: "has no way down, though its tool keeps one",
		Why:    "When the release is given up for good, somebody has to take the schema back, and should not have to write that at night. A rollback of the traffic itself never needs it.",
		Remedy: "write the down part, and try it",
		Source: "golang-migrate, goose, dbmate and Sqitch keep one: a down migration that fails or is missing",
	}
}

// downFinding judges the way back of a section.
func downFinding(section dialect.Section, at statement.Position) (Finding, bool) {
	finding := Finding{Rule: ruleMissingDown, Position: at}
	if !section.Keeps {
		return finding, false
	}
	down := statement.Split(section.Down)
	for _, one := range down {
		if one.Unread != "" {
			finding.Problem = "the way down can't be read: " + one.Unread
			return finding.breaks("nobody can say whether the schema can be taken back"), true
		}
	}
	if len(down) > 0 {
		return finding, false
	}
	finding.Problem = "there is no way down"
	return finding.breaks("when the release is given up, nothing takes the schema back"), true
}
