// Package simulate makes up releases: what two colours of a service are asked,
// how many requests fail and how long they take, interval by interval, in the
// minutes before a switch and after it.
//
// A relative gate says that it is wrong about a healthy release once in a
// hundred times. Nobody can wait for hundreds of real releases, and the real
// ones that are on record are few and alike. So these are made up, from a table
// of parameters ([Kinds], [Faults]) that was settled before the gate existed and
// is not changed to suit it. A release follows from its kind, its fault, the
// weight of the new colour and a seed, and from nothing else.
//
// What makes real traffic hard to judge is in the table: the rate swings within
// the day and latency with it; failures come in bursts, of one colour or of what
// both depend upon; the share that a colour gets is not quite its weight; two
// healthy colours are not quite alike; and a new one starts cold.
//
// Counts are drawn from binomial and Poisson distributions whose parameters
// wander, which makes them over-dispersed: they vary more, and for longer, than
// sampling alone would make them.
package simulate
