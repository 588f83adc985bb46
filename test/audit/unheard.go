package audit

// Unheard reports whether nobody was told what became of a write: the API
// server gave up on the request, or its sender did, and what was asked for may
// be in the store all the same.
func (w Write) Unheard() bool { return w.Code == 0 || w.Code >= 500 }

// hear finds out which of the unheard writes of an object landed: those that
// fill a hole of its chain. Such a write was made on top of the last one before
// the hole, and is what the next one, or the cluster, stands on.
func (b *bench) hear(unheard []Write, name string) {
	chain := b.objects[name]
	for i := 0; i <= len(chain); i++ {
		last, next := int64(0), b.release.Live[name]
		if i > 0 {
			last = chain[i-1].Revision
		}
		if i < len(chain) {
			next = chain[i].Above
		}
		if last == 0 || next <= last {
			continue
		}
		for _, write := range unheard {
			if write.Object == name && write.Above == last {
				write.Revision = next
				b.land(write)
				b.verdict.Heard++
				break
			}
		}
	}
}
