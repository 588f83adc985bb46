package plugin

import (
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// acceptUnproven is the flag without which no shift begins on a kind of route
// that has not been seen to move live traffic. A way back never asks for it.
const acceptUnproven = "accept-unproven-router"

// provenRoute refuses a kind of route that nobody has seen at work, unless that
// is accepted.
func provenRoute(rel *release.Release, accepted bool) error {
	routes, err := traffic.Describe(rel)
	if err != nil || accepted {
		return err
	}
	var unproven []string
	for _, route := range routes {
		if route.Unproven {
			unproven = append(unproven, route.Object)
		}
	}
	if len(unproven) == 0 {
		return nil
	}
	return &StatusError{Status: ExitBlocked, Err: release.WithHint(
		fmt.Errorf("%s: this kind of route passes the suite that all kinds pass, and has not been seen to move live traffic (docs/routers.md)", strings.Join(unproven, ", ")),
		fmt.Sprintf("try it where nobody is hurt: %s shift --%s", name, acceptUnproven))}
}
