package workflows

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Action is what a step uses, by what it is pinned with.
type Action struct {
	// Reference is what stands behind uses: OWNER/REPOSITORY@DIGEST, or a path in the
	// checkout that begins with ./.
	Reference string
	// Version is the tag that the digest had, "" where nobody said.
	Version string
}

// What the workflows use of others.
const (
	checkout       = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"
	setupGo        = "actions/setup-go@44694675825211faa026b3c33043df3e48a5fa00 # v6.0.0"
	uploadArtifact = "actions/upload-artifact@330a01c490aca151604b8cf639adc76d48f6c5d4 # v5.0.0"
	uploadSARIF    = "github/codeql-action/upload-sarif@0499de31b99561a6d14a36a5f662c2a54f91beee # v4.31.2"
)

// ParseAction reads OWNER/REPOSITORY@DIGEST, OWNER/REPOSITORY@DIGEST#VERSION, or a
// path in the checkout. A tag or a branch is refused, for it may be moved to
// other code.
func ParseAction(text string) (Action, error) {
	reference, version, _ := strings.Cut(text, "#")
	pinned := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*(/[A-Za-z0-9._-]+)+@[0-9a-f]{40}$`).MatchString(reference)
	local := regexp.MustCompile(`^\./[A-Za-z0-9._/-]*$`).MatchString(reference)
	if !pinned && !local || !regexp.MustCompile(`^[A-Za-z0-9._-]*$`).MatchString(version) {
		return Action{}, release.WithHint(fmt.Errorf("read action %q: expected OWNER/REPOSITORY@ and the 40 digits of a commit, #VERSION behind it or not, or a path that begins with ./", text),
			"a tag's commit: git ls-remote https://github.com/bluegreen-dev/kubectl-bluegreen 'refs/tags/v*^{}'")
	}
	return Action{Reference: reference, Version: version}, nil
}

// String is what stands behind uses, with the version as a comment.
func (a Action) String() string {
	if a.Version == "" {
		return a.Reference
	}
	return a.Reference + " # " + a.Version
}
