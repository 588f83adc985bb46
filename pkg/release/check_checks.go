package release

import (
	"fmt"
	"path/filepath"
	"strings"
)

// checkChecks checks what is suppressed. Which checks there are is the
// catalogue's to know, so a face finds one that doesn't exist (Loaded.Problem).
func (c *checker) checkChecks() {
	ids := map[string]bool{}
	for i, suppression := range c.document.Spec.Checks.Suppress {
		field := fmt.Sprintf("spec.checks.suppress[%d]", i)
		if ids[suppression.ID] && suppression.ID != "" {
			c.report(join(field, "id"), shown(suppression.ID)+" is suppressed twice", "keep one of them")
		}
		ids[suppression.ID] = true
		if suppression.Reason != "" && strings.TrimSpace(suppression.Reason) == "" {
			c.report(join(field, "reason"), "must not be empty", "say why it may stand, for whoever reads the report")
		}
	}
	c.checkOwn("spec.checks.custom", c.document.Spec.Checks.Custom)
	for i, pattern := range c.document.Spec.Checks.Files {
		field := fmt.Sprintf("spec.checks.files[%d]", i)
		if _, err := filepath.Match(pattern, ""); err != nil {
			c.report(field, shown(pattern)+" is no pattern of a path", "")
			continue
		}
		c.besideOrBelow(field, pattern)
	}
}
