package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

const (
	// oldVersion is blue's throughout.
	oldVersion = "v2.4.0"
	// goodVersion is what the first chapter releases.
	goodVersion = "v2.5.0"
	// badVersion is what the later ones try to.
	badVersion = "v2.6.0"
	// greedyPool is a pool size with which each colour alone fits into 100
	// connections, and both together don't.
	greedyPool = 25
	// badShare is the share of requests that the bad release fails.
	badShare = 0.08
)

// healthyRelease moves to green.
func healthyRelease(ctx context.Context, s *story) (row, error) {
	s.narrator.say("Green is %s. First: would anything hurt? `check` looks at the cluster, the routing, the database "+
		"and the monitoring, and changes nothing.", goodVersion)
	checked, err := s.terminal.show(ctx, &exceptPassed{}, "bluegreen", "check")
	if err = errors.Join(err, expectCode(checked, rollout.CodeDone)); err != nil {
		return row{codes: fmt.Sprint(checked.code), took: checked.took}, err
	}
	s.narrator.say("Nothing blocks. So green is deployed, validated past the router, given the traffic, and watched; " +
		"and blue must be seen to have no requests left before the shift calls itself done.")
	return s.move(ctx, movement{args: []string{"bluegreen", "shift"}, color: shop.Green, version: goodVersion, oldColor: shop.Blue})
}

// requestedRollback moves back.
func requestedRollback(ctx context.Context, s *story) (row, error) {
	s.narrator.say("Somebody wants %s back. A rollback asks nobody for permission and waits for no metric.", oldVersion)
	return s.move(ctx, movement{
		args:  []string{"bluegreen", "rollback", "--reason", "the banner is the wrong blue"},
		color: shop.Blue, version: oldVersion, oldColor: shop.Green,
	})
}

// movement is a command that moves all traffic and loses nothing.
type movement struct {
	args []string
	// color and version are who serves afterwards, oldColor who did.
	color, version, oldColor string
}

// move runs the command and holds what came of it against the story.
func (s *story) move(ctx context.Context, m movement) (row, error) {
	from, err := s.load.settle(ctx, 0)
	if err != nil {
		return row{}, err
	}
	ended, err := s.terminal.show(ctx, nil, m.args...)
	told := row{codes: fmt.Sprint(ended.code), took: ended.took}
	if err = errors.Join(err, expectCode(ended, rollout.CodeDone)); err != nil {
		return told, err
	}
	to, err := s.load.settle(ctx, 4)
	if err != nil {
		return told, err
	}
	seen := s.load.between(from, to)
	s.narrator.result("%d requests meanwhile, %d failed; answered by %s", seen.requests(), seen.failed(), answers(seen))
	if seen.failed() != 0 {
		return told, fmt.Errorf("%d of %d requests failed", seen.failed(), seen.requests())
	}
	if !seen.onlyLast(2, m.version) {
		return told, fmt.Errorf("at the end not all answers are %s's", m.version)
	}
	status, err := s.last(ctx)
	if err != nil {
		return told, err
	}
	if status.Residual == nil || status.Residual.State != measure.OK || status.Residual.Value != 0 {
		return told, fmt.Errorf("requests are left on %s: %+v", m.oldColor, status.Residual)
	}
	s.narrator.result("left on %s, by its own counters: %g requests/s", m.oldColor, status.Residual.Value)
	return told, s.expectLive(ctx, m.color)
}

// expectLive fails unless production selects a colour.
func (s *story) expectLive(ctx context.Context, color string) error {
	live, err := s.shop.Live(ctx)
	if err == nil && live != color {
		err = fmt.Errorf("production selects %s, not %s", live, color)
	}
	return err
}

// exhaustedDatabase plans a release that the database has no room for.
func exhaustedDatabase(ctx context.Context, s *story) (row, error) {
	s.narrator.say("%s comes with a bigger connection pool: DB_POOL_SIZE is %d in deploy/green/deployment.yaml. "+
		"PostgreSQL has 100 connections. Each colour alone fits. During a release both run, a rolling update adds a "+
		"pod to each, and in the middle of the traffic shift PostgreSQL says \"sorry, too many clients already\".", badVersion, greedyPool)
	if err := s.shop.WriteSlot(shop.Green, greenSlot(greedyPool, 0)); err != nil {
		return row{}, err
	}
	blocked, err := s.terminal.show(ctx, &exceptPassed{}, "bluegreen", "check")
	told := row{codes: fmt.Sprint(blocked.code), took: blocked.took}
	if err = errors.Join(err, expectCode(blocked, rollout.CodeBlocked)); err != nil {
		return told, err
	}
	if !strings.Contains(blocked.text, "blocked by BG-DB-03") {
		return told, errors.New("it is not the connection budget alone that blocks")
	}
	s.narrator.say("Blocked, and nothing was touched. The whole sum, and where every number in it comes from:")
	sum, err := s.terminal.show(ctx, nil, "bluegreen", "db", "budget")
	told.took += sum.took
	if err = errors.Join(err, expectCode(sum, rollout.CodeBlocked)); err != nil {
		return told, err
	}
	if s.pool, err = s.advice(ctx); err != nil {
		return told, err
	}
	s.narrator.say("The advice is a pool of %d. We follow it: DB_POOL_SIZE in deploy/green/deployment.yaml becomes %d.", s.pool, s.pool)
	if err := s.shop.WriteSlot(shop.Green, greenSlot(s.pool, 0)); err != nil {
		return told, err
	}
	passed, err := s.terminal.show(ctx, &exceptPassed{}, "bluegreen", "check")
	told.took += passed.took
	told.codes += ", then " + strconv.Itoa(passed.code)
	return told, errors.Join(err, expectCode(passed, rollout.CodeDone))
}

// advice is the pool size that the budget recommends.
func (s *story) advice(ctx context.Context) (int, error) {
	text, err := s.terminal.read(ctx, "bluegreen", "db", "budget", "-o", "json")
	if err != nil {
		return 0, err
	}
	budget := &postgres.Budget{}
	if err := json.Unmarshal(text, budget); err != nil {
		return 0, fmt.Errorf("read Budget: %w", err)
	}
	if budget.RecommendedPool < 1 || budget.RecommendedPool >= greedyPool {
		return 0, fmt.Errorf("the recommended pool is %d", budget.RecommendedPool)
	}
	return budget.RecommendedPool, nil
}

// badRelease moves to a green that fails requests, and is moved back.
func badRelease(ctx context.Context, s *story) (row, error) {
	s.narrator.say("With that, %s is released. What no check can know: it fails %g %% of its requests. Its pods are ready "+
		"and its /health is fine, as with the releases that hurt.", badVersion, badShare*100)
	if err := s.shop.WriteSlot(shop.Green, greenSlot(s.pool, badShare)); err != nil {
		return row{}, err
	}
	from, err := s.load.settle(ctx, 0)
	if err != nil {
		return row{}, err
	}
	ended, err := s.terminal.show(ctx, nil, "bluegreen", "shift")
	told := row{codes: fmt.Sprint(ended.code), took: ended.took}
	if err = errors.Join(err, expectCode(ended, rollout.CodeRolledBack)); err != nil {
		return told, err
	}
	to, err := s.load.settle(ctx, 4)
	if err != nil {
		return told, err
	}
	seen := s.load.between(from, to)
	s.narrator.result("%d requests meanwhile, %d failed; answered by %s", seen.requests(), seen.failed(), answers(seen))
	s.narrator.result("%s answered for %d s, from its first request to the last; then %s alone again", badVersion, seen.spell(badVersion), oldVersion)
	switch {
	case seen.failed() == 0:
		return told, errors.New("no request failed, so nothing was there to be caught")
	case !seen.onlyLast(2, oldVersion):
		return told, fmt.Errorf("at the end not all answers are %s's", oldVersion)
	}
	if err := s.expectLive(ctx, shop.Blue); err != nil {
		return told, err
	}
	s.narrator.say("Nobody was called, and what was seen is on record:")
	_, err = s.terminal.show(ctx, nil, "bluegreen", "history")
	return told, err
}

// greenSlot is the bad version with a pool size and a share of failures.
func greenSlot(pool int, share float64) shop.Slot {
	environment := map[string]string{"DB_POOL_SIZE": strconv.Itoa(pool)}
	if share > 0 {
		environment["FAULT_ERROR_RATE"] = strconv.FormatFloat(share, 'g', -1, 64)
	}
	return shop.Slot{Version: badVersion, Env: environment}
}
