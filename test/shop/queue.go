package shop

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Queue puts jobs into the shop's queue.
type Queue struct {
	shop *Shop
	stop context.CancelFunc
	done chan struct{}

	mu   sync.Mutex
	conn *pgx.Conn
	put  map[int64]bool
	// refused is the last reason why a job could not be put.
	refused error
}

// Feed begins to put jobs at a rate per second. A moment in which PostgreSQL takes
// none is waited for.
func (s *Shop) Feed(ctx context.Context, rate int) (*Queue, error) {
	conn, err := s.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("feed the queue: %w", err)
	}
	feeding, stop := context.WithCancel(context.WithoutCancel(ctx))
	q := &Queue{shop: s, stop: stop, done: make(chan struct{}), conn: conn, put: map[int64]bool{}}
	go q.feed(feeding, time.Second/time.Duration(rate))
	return q, nil
}

func (q *Queue) feed(ctx context.Context, every time.Duration) {
	defer close(q.done)
	next := time.NewTicker(every)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			q.one(context.WithoutCancel(ctx))
		}
	}
}

// one puts one job. One of which the answer was lost may be there, and is not
// counted.
func (q *Queue) one(ctx context.Context) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.connected(ctx); err != nil {
		q.refused = err
		return
	}
	var id int64
	if err := q.conn.QueryRow(ctx, "INSERT INTO jobs DEFAULT VALUES RETURNING id").Scan(&id); err != nil {
		q.refused = err
		return
	}
	q.put[id] = true
}

// connected dials again where the connection has broken.
func (q *Queue) connected(ctx context.Context) (err error) {
	if q.conn == nil || q.conn.IsClosed() {
		q.conn, err = q.shop.Dial(ctx)
	}
	return err
}

// Stop puts no more jobs.
func (q *Queue) Stop() {
	q.stop()
	<-q.done
}

// Close stops and hangs up.
func (q *Queue) Close(ctx context.Context) error {
	q.Stop()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.conn == nil {
		return nil
	}
	return q.conn.Close(ctx)
}

// Tally is what has become of the jobs.
type Tally struct {
	// Put are those that were put, and Left those of them that nobody has done yet.
	Put, Left int
	// Lost are neither done nor in the queue; Twice were done more than once.
	Lost, Twice []int64
	// ByColor are those that each colour has done.
	ByColor map[string]int
}

// Tally counts the jobs, in one look at the database.
func (q *Queue) Tally(ctx context.Context) (Tally, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.connected(ctx); err != nil {
		return Tally{}, fmt.Errorf("count jobs: %w", err)
	}
	rows, err := q.conn.Query(ctx, "SELECT id, 'queue', 0 FROM jobs UNION ALL SELECT job, min(color), count(*) FROM jobs_done GROUP BY job")
	if err != nil {
		return Tally{}, fmt.Errorf("count jobs: %w", err)
	}
	tally, seen := Tally{Put: len(q.put), ByColor: map[string]int{}}, map[int64]bool{}
	var job, times int64
	var where string
	_, err = pgx.ForEachRow(rows, []any{&job, &where, &times}, func() error {
		seen[job] = true
		switch {
		case times == 0 && q.put[job]:
			tally.Left++
		case times > 0:
			tally.ByColor[where]++
		}
		if times > 1 {
			tally.Twice = append(tally.Twice, job)
		}
		return nil
	})
	if err != nil {
		return Tally{}, fmt.Errorf("count jobs: %w", err)
	}
	for _, job := range slices.Sorted(maps.Keys(q.put)) {
		if !seen[job] {
			tally.Lost = append(tally.Lost, job)
		}
	}
	return tally, nil
}

// Drained waits until no job is left, and counts them then.
func (q *Queue) Drained(ctx context.Context) (Tally, error) {
	var tally Tally
	err := await(ctx, func(ctx context.Context) (empty bool, err error) {
		tally, err = q.Tally(ctx)
		return tally.Left == 0, err
	})
	if err != nil {
		return tally, fmt.Errorf("wait until the queue is empty: %w (%+v)", errors.Join(err, q.refused), tally)
	}
	return tally, nil
}
