package programs

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestPersist(t *testing.T) {
	stumble := errors.New("502 Bad Gateway")
	for _, test := range []struct {
		name   string
		fails  int
		tries  int
		broken bool
	}{
		{name: "at once", tries: 1},
		{name: "after one that failed", fails: 1, tries: 2},
		{name: "at the last", fails: 2, tries: 3},
		{name: "never", fails: 9, tries: 3, broken: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			tries := 0
			err := persist(t.Context(), []time.Duration{0, 0}, func() error {
				if tries++; tries <= test.fails {
					return stumble
				}
				return nil
			})
			if tries != test.tries || (err != nil) != test.broken {
				t.Errorf("%d tries, %v; want %d, broken %v", tries, err, test.tries, test.broken)
			}
		})
	}
}

func TestPersistEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tries := 0
	err := persist(ctx, []time.Duration{time.Hour}, func() error { tries++; return errors.New("refused") })
	if tries != 1 || err == nil {
		t.Errorf("%d tries, %v; want the first one's error and no other try", tries, err)
	}
}
