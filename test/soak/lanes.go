package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// connections are what the pods of all lanes may hold together: of the 100 of
// the lab's PostgreSQL a preflight wants a fifth left, and the processes of a
// lane have sessions of their own.
const connections = 60

// podsPerLane are two pods of each colour, and two more while some are replaced
// or a spare one is tried.
const podsPerLane = 6

// lane is one of several shops that are worked on at once. What happens in a
// lane is mostly waiting, for a lease, a watch or a drain, so that two cores
// bear several.
type lane struct {
	number int
	lab    *lab.Lab
	place  *shop.Place
	driver crash.Driver
	shop   *shop.Shop
	load   *clients.Run
	folder string
}

// logf tells what happens in the lane.
func (l *lane) logf(format string, args ...any) {
	fmt.Printf("%d| "+format+"\n", append([]any{l.number + 1}, args...)...)
}

// close takes the shop away.
func (l *lane) close(ctx context.Context) error {
	if l.load != nil {
		l.load.Stop()
	}
	err := l.shop.Close(context.WithoutCancel(ctx))
	return errors.Join(err, os.RemoveAll(l.folder))
}

// work is what lanes are for.
type work struct {
	// name begins those of the shops, driver is the kind of their routes.
	name   string
	driver crash.Driver
	// release makes the Release of a lane, by its number from 0.
	release func(number int) func(*release.Release)
	// do is done in all lanes together.
	do func(context.Context, []*lane) error
}

// openLane opens a shop, under its share of the load.
func openLane(ctx context.Context, current *lab.Lab, place *shop.Place, what work, number, lanes int) (*lane, error) {
	folder, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return nil, err
	}
	opened, err := place.Open(ctx, shop.Options{
		Namespace: fmt.Sprintf("%s-%s-%d", what.name, what.driver.Name, number+1), Folder: folder, Route: what.driver.Route, Release: what.release(number),
		Env: map[string]string{
			"DB_POOL_SIZE": strconv.Itoa(poolOf(lanes)), "DB_POOL_WARM": "true", "DB_CONNECT_TIMEOUT": "15s", "REQUEST_TIMEOUT": "15s",
		},
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	found := &lane{number: number, lab: current, place: place, driver: what.driver, shop: opened, folder: folder}
	if found.load, err = found.asked(ctx, lanes); err != nil {
		return nil, errors.Join(err, found.close(ctx))
	}
	return found, nil
}

// asked puts the lane's share of the load on production, once that answers.
func (l *lane) asked(ctx context.Context, lanes int) (*clients.Run, error) {
	if err := l.shop.AwaitAnswers(ctx); err != nil {
		return nil, err
	}
	url, err := l.shop.URL(ctx, "/recommendations?user=anna")
	if err != nil {
		return nil, err
	}
	return clients.Start(ctx, clients.Options{URL: url, Header: l.shop.Header(), Rate: max(load/lanes, 1), KeepAlive: 5, Fresh: l.driver.Fresh(5), Timeout: 20 * time.Second, Strict: true})
}

// poolOf is the size of a pod's pool, with so many lanes.
func poolOf(lanes int) int { return min(6, max(connections/(lanes*podsPerLane), 1)) }

// atPlace prepares the chosen lab for shops, and does something there.
func atPlace(ctx context.Context, chosen options, do func(*lab.Lab, *shop.Place) error) error {
	current, err := lab.Attach(chosen.lab)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	place, err := shop.Prepare(ctx, current.Kubeconfig(), folder, chosen.plugin, current)
	if err != nil {
		return err
	}
	return do(current, place)
}

// inLanes opens lanes, does something in them, and takes them away.
func inLanes(ctx context.Context, chosen options, what work) error {
	return atPlace(ctx, chosen, func(current *lab.Lab, place *shop.Place) error {
		return openLanes(ctx, current, place, chosen, what)
	})
}

// openLanes is inLanes at a place.
func openLanes(ctx context.Context, current *lab.Lab, place *shop.Place, chosen options, what work) error {
	lanes := make([]*lane, chosen.lanes)
	defer func() {
		for _, opened := range lanes {
			if opened != nil {
				_ = opened.close(ctx)
			}
		}
	}()
	opening, within := errgroup.WithContext(ctx)
	for number := range lanes {
		opening.Go(func() (err error) {
			// The shops outlive the group, whose context ends with it.
			if within.Err() == nil {
				lanes[number], err = openLane(ctx, current, place, what, number, chosen.lanes)
			}
			return err
		})
	}
	if err := opening.Wait(); err != nil {
		return err
	}
	return what.do(ctx, lanes)
}

// each does something in every lane at once.
func each(ctx context.Context, lanes []*lane, do func(context.Context, *lane) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, opened := range lanes {
		group.Go(func() error {
			if err := do(ctx, opened); err != nil {
				return fmt.Errorf("lane %d: %w", opened.number+1, err)
			}
			return nil
		})
	}
	return group.Wait()
}
