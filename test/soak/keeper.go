package main

import (
	"errors"
	"sync"
)

// keeper adds to a record from several goroutines, and writes the document
// after each part, so that an interruption loses what was under way alone.
type keeper struct {
	mutex sync.Mutex
	kept  *record
	write func() error
}

// done reports whether a part has passed.
func (k *keeper) done(part string) bool {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.kept.done(part)
}

// thresholds are those of the A/A run.
func (k *keeper) thresholds() (thresholds, bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.kept.thresholds()
}

// add keeps one outcome.
func (k *keeper) add(found outcome) error {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return errors.Join(k.kept.add(found), k.kept.reload(), k.write())
}

// reload reads what another program has added to the record since.
func (k *keeper) reload() error {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.kept.reload()
}

// passed knows which parts have passed.
type passed interface{ done(part string) bool }
