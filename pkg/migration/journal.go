package migration

// journal takes down, while a transaction is open that may be undone, how each
// change of what is known is taken back, so that going back costs what was done
// since and no more.
type journal struct {
	open  bool
	steps []func()
}

// back takes back all but the first steps.
func (j *journal) back(steps int) {
	for len(j.steps) > steps {
		last := len(j.steps) - 1
		j.steps[last]()
		j.steps = j.steps[:last]
	}
}

func (j *journal) note(step func()) {
	if j.open {
		j.steps = append(j.steps, step)
	}
}

// put sets a key of a map.
func put[K comparable, V any](j *journal, in map[K]V, key K, value V) {
	before, known := in[key]
	in[key] = value
	j.note(func() {
		if known {
			in[key] = before
		} else {
			delete(in, key)
		}
	})
}

// remove takes a key out of a map.
func remove[K comparable, V any](j *journal, in map[K]V, key K) {
	if before, known := in[key]; known {
		delete(in, key)
		j.note(func() { in[key] = before })
	}
}

// assign sets what something points to.
func assign[V any](j *journal, to *V, value V) {
	before := *to
	*to = value
	j.note(func() { *to = before })
}
