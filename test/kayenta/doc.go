// Package kayenta judges a release as the canary judge of Spinnaker's Kayenta
// does, NetflixACAJudge, with its published defaults. It is there to be compared
// with, and written from what is published about that judge: its user's guide
// (https://spinnaker.io/docs/guides/user/canary/judge/), the description of its
// configuration (docs/canary-config.md of github.com/spinnaker/kayenta), and what
// its source does where these are silent.
//
// Each metric is a series of points of either side. Points that are not numbers
// are removed. The Mann-Whitney test gives an interval, at a confidence of 98 %,
// for how far the canary's points lie above the baseline's, and the
// Hodges-Lehmann estimate of that. A metric is High when the whole interval lies
// above a quarter of the estimate, and the ratio of the means is at least the
// allowed one (1 by default); Low in the same way below. The score is the
// percentage of metrics that pass; too many without data make it 0. Below 75 the
// canary fails at once; at its end it needs 95: the values that the guide gives to
// start with (https://spinnaker.io/docs/guides/user/canary/best-practices/).
package kayenta
