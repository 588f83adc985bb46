// Package journal is the record that a release keeps in the cluster: who is
// moving it, what was about to be done, and what came of it.
//
// It is written ahead. Before any write to an object the runner records an
// intent, and after it a result, so that a run that was killed anywhere
// leaves behind what it was about to do. Open tells which intents have no
// result; whoever resumes looks at those objects before anything else.
//
// Three kinds of objects hold it, all in the release's namespace and labelled
// bluegreen.dev/release:
//
//   - the Lease bluegreen-<release> says who is alive. It is only liveness:
//     its holder renews it, and everybody else judges by their own clock
//     whether it has fallen silent, counting from the last change that they
//     saw themselves. Clocks of two machines are never compared.
//   - the ConfigMap bluegreen-<release> holds the current run as JSON, in one
//     write per step, with its epoch and holder as annotations. It stays
//     after the run has ended, for it carries the document that was used.
//   - the ConfigMaps bluegreen-<release>-<run> hold the runs that have ended,
//     compressed.
//
// What keeps two holders apart is not the lease but the epoch. Each Acquire
// takes an epoch higher than any seen before, and every write tests that the
// record still is what the writer wrote last (compare-and-swap on the
// resourceVersion). A holder that has been asleep finds its next write
// refused with ErrLost. The runner stamps the same Fence on every object that
// it touches, so that the refusal reaches there too.
//
// A record is bounded, since an object in the cluster is. When it grows too
// long the oldest notes are summarised first and intents without a result are
// kept whatever happens. Fields that a newer version of this tool has added to a
// record of this version are kept as they are. A record that is damaged, or was written by a newer
// version of this tool, is refused and never guessed at. A rollback, which must
// not depend on a record, may set such a one aside, and so may a shift that is told
// to: it is kept as it was found in the ConfigMap
// bluegreen-<release>-unreadable-<hash>, and a new one begins. Who holds the release
// while its record is made unreadable knows what it said, and writes it anew.
//
// A run whose outcome is written has ended, whether or not it can be archived:
// Finish says what it could not do as a *LeftoverError, and the next run makes
// up for it before it begins.
package journal
