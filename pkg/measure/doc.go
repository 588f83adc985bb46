// Package measure answers one question at a time about a release: how many
// requests, how many failed, how slow, how full is the database, who holds a
// lock. An answer is a Reading: a value with the number of samples that it
// rests on, the time, the source that gave it and what was really asked.
//
// A Source is a place where answers come from. Each has a file: a Prometheus
// server, the pods' own /metrics, PostgreSQL, an exporter of it, Kubernetes
// and Alertmanager. NewSources sets up what a Release declares; Observe asks
// the first source that answers each query, all of them at once.
//
// The package's one rule is that a source which can't answer must never look
// like a release that is bad, nor like one that is good. No requests in the
// window is no data. No answer, too late an answer, not a number, two series
// where one was expected: the source is down. Both are states of a Reading
// and not errors. The exception is PostgreSQL refusing the observer with
// SQLSTATE 53300, which is the incident that all this is about: it reads as
// every connection taken. Unless what is used up is the CONNECTION LIMIT of
// the observer's own role: that keeps nobody else out.
//
// Two servers are no sources, for no rule of a gate asks them anything: a Loki,
// which tells the streams of a colour, and a Grafana, which tells its dashboards.
// What they tell is facts of the checks.
//
// Nothing has to be installed for it. Without a Prometheus the pods' /metrics
// are read through the API server, at most 20 requests a second in all, by
// the rules that Prometheus itself uses for counters that reset and for
// quantiles of histograms. Where there are more pods than that allows a
// stable sample of them is read, and every reading says so.
//
// Two colours are compared by counts rather than by readings: Counting asks a
// source that can count what both did between two looks. There the rule is
// stricter. An interval in which one pod did not answer is not observed at all,
// for a share of the requests is wrong by what is missing; the next interval
// begins where that one did.
package measure
