package traffic

import (
	"encoding/json"
	"errors"
	"fmt"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Moves are the writes that bring a route to a split, in their order, and the
// route that they leave, without any being sent: of workers also those that wait
// for what the ones before them set going. Where nothing can be written yet, they
// are what would be, and the route is as it was.
func Moves(router Router, route Route, to Split, fence cluster.Fence) ([]Patch, Route, error) {
	var moves []Patch
	for {
		patch, err := router.Plan(route, to, fence)
		if err != nil {
			return nil, Route{}, err
		}
		ready := patch.Ready()
		if patch.Awaits != "" && len(ready) == 0 {
			return append(moves, patch.Each()...), route, nil
		}
		moves = append(moves, ready...)
		if route, err = router.After(route, patch); err != nil {
			return nil, Route{}, err
		}
		if patch.Awaits == "" {
			return moves, route, nil
		}
	}
}

// after is a route's object as a patch leaves it. Its resourceVersion stays, for
// only the server knows the next one, and so the patch that is planned on it tests
// the one that was read.
func after[Object any](live any, patch Patch) (*Object, error) {
	object, ok := live.(*Object)
	if !ok {
		return nil, fmt.Errorf("plan what comes after %s for %s: the route was not read by this driver", patch.Told(), patch.Object)
	}
	before, err := json.Marshal(object)
	operations, malformed := jsonpatch.DecodePatch(patch.Body)
	if err = errors.Join(err, malformed); err == nil {
		before, err = operations.Apply(before)
	}
	left := new(Object)
	if err == nil {
		err = json.Unmarshal(before, left)
	}
	if err != nil {
		return nil, fmt.Errorf("plan what comes after %s for %s: %w", patch.Told(), patch.Object, err)
	}
	return left, nil
}
