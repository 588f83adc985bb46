// Package relative holds a new colour against the old one: does it fail more
// requests, is it slower, does it get its share?
//
// A fixed threshold knows neither how a service usually is nor how much a
// number strays by chance. The other colour knows the first: over the same
// minutes it has the same clients, the same database and the same bad weather.
// Where one switch moves everything at once, the window before it stands in,
// which knows less: what changes with the hour looks like a change of version.
// For the second there is statistics.
//
// # What is compared
//
// Each interval between two readings gives one number for each [Question]: how
// many more requests of the new colour failed than if both had the same ratio.
// With n and m requests of the new and the old colour in an interval, of which
// e and f failed, that is (e·m − f·n)/(n + m). It grows with the difference of
// the ratios, times the weight n·m/(n + m), and the sum of one over the sum of
// the other is the Mantel-Haenszel estimate of the risk difference (Greenland
// and Robins, Biometrics 41, 1985): an interval of few requests weighs little.
//
// A p95 is no sum, so it is made a ratio. B is about the old colour's p95, by all
// that it has answered before the interval; if the new colour's latency were at
// most 1.2 times the old one's, no larger share of its requests would take longer
// than 1.2·B than of the old one's takes longer than B. Whatever B really is, both
// shares are counted over the same minutes. Volume is the new colour's share of
// the requests against its weight, or its requests against those of before.
//
// # How it is judged
//
// A shift looks at its gate every few seconds, and stops when it doesn't like
// what it sees. An ordinary test read like that is wrong far more often than it
// says. The bounds here are those of a confidence sequence: with probability
// 1 − alpha they hold at every reading at once, whenever one stops. It is the
// sequential t-test with a normal mixture of H. Wang and A. Ramdas, "Anytime-valid
// t-tests and confidence sequences for Gaussian means with unknown variance"
// (Sequential Analysis, 2025; arXiv:2310.03722). With S the sum of n numbers, V
// the sum of their squares and c a constant,
//
//	M(n) = √(c²/(n+c²)) · ( (n+c²)·V / ((n+c²)·V − S²) )^(n/2)
//
// is a martingale that starts at 1 when the mean is zero, and by Ville's
// inequality exceeds 1/alpha, ever, with probability alpha at most. The variance
// is the intervals' own: nowhere is it assumed that requests fail independently,
// and a service whose failures come in bursts gets wider bounds by itself. With
// many intervals the bounds become those of the asymptotic confidence sequence of
// I. Waudby-Smith, D. Arbour, R. Sinha, E. Kennedy and A. Ramdas, "Time-uniform
// central limit theory and asymptotic confidence sequences" (Annals of Statistics
// 52, 2024; arXiv:2103.06476), which need no normal distribution; with few, they
// pay for a variance that is known badly, where the asymptotic ones don't.
//
// Four corrections are made, all to the side of caution:
//
//   - Intervals that resemble the one before them say less than independent ones.
//     With the correlation r between neighbours, n becomes n·(1−r)/(1+r) and V
//     grows by as much: the long-run variance of an autoregressive series. r is
//     raised by 1/n, about what the usual estimate is too low by (Kendall, 1954),
//     and a negative one counts as none.
//   - A colour of which few requests were seen may have failed none by luck, and
//     the spread of nothing is nothing. So each bound is computed as if one more
//     request had failed on the side that it speaks against, after Agresti and
//     Caffo (The American Statistician 54, 2000).
//   - What begins late drowns in the good minutes before it. So the count begins
//     anew every 30 s beside those that go on, and the k-th gets alpha/(k·(k+1)):
//     these sum up to alpha, whatever number there will be. An alarm then says
//     since when.
//   - alpha is for the whole release: each of the four questions gets a quarter.
//
// A Fail needs more than significance: the bound must pass what is allowed
// ([Gate.ErrorsAllowed] and its sisters). What has failed stays failed; evidence
// that was right to stop a release with is not taken back by what comes later.
//
// # What it takes, and what it can't do
//
// The promise is exact for independent normal numbers of one spread. Where
// neighbours are alike it is kept about, for how alike must be estimated too: with
// a correlation of 0.3 between them 6 % of healthy series leave bounds that are
// made for 5 %, with 0.6 13 %; without the correction it would be 16 % and 51 %.
// What keeps false alarms rare is that a healthy difference is far from what is
// allowed, and not at its edge; test/bench counts them on made-up releases.
//
// The mean must not drift for reasons of its own: a bad spell of one healthy
// colour that lasts a minute is a difference, and is called one. So is, against
// the window before a switch, whatever the hour changed. There a bad spell that
// befell both colours looks like the new one's too, which is why intervals of
// less than 15 s are put together then, and of less than 5 s otherwise.
//
// Where requests are counted against a weight, intervals are put together until five
// of the new colour are expected. Of a request in a minute most intervals have none,
// and all that are alike would look like certainty.
//
// With few intervals there is no bound at all, and so no verdict but [NoData]: at
// an alpha of 1 % the first one can come after eleven intervals, with no noise in
// them. A warm-up after each switch is left out, for a new process is slow until
// its caches and connection pools are filled.
//
// The package is pure. [Gate.Observe] takes the state that the last call left,
// and returns the next; kept as JSON and read again it goes on as if nothing had
// been. The same observations give the same verdicts, so that a journal can be
// replayed.
package relative
