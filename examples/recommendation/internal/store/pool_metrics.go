package store

import "github.com/prometheus/client_golang/prometheus"

// poolCollector reads the pool's own statistics at each scrape.
type poolCollector struct{ store *Store }

var (
	connectionsMetric = prometheus.NewDesc("db_pool_connections",
		"Connections of the database pool by state.", []string{"state"}, nil)
	acquiredMetric = prometheus.NewDesc("db_pool_acquired_connections",
		"Connections of the database pool that are in use.", nil, nil)
	maxMetric = prometheus.NewDesc("db_pool_max_connections",
		"Connections that the database pool may open.", nil, nil)
	pendingMetric = prometheus.NewDesc("db_pool_pending_acquires",
		"Requests that wait for a connection of the database pool.", nil, nil)
	leakedMetric = prometheus.NewDesc("db_leaked_connections",
		"Connections opened outside the pool and never closed (a fault switch).", nil, nil)
)

// Describe implements prometheus.Collector.
func (poolCollector) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connectionsMetric, acquiredMetric, maxMetric, pendingMetric, leakedMetric} {
		descriptions <- d
	}
}

// Collect implements prometheus.Collector.
func (c poolCollector) Collect(metrics chan<- prometheus.Metric) {
	stat := c.store.pool.Stat()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	gauge(connectionsMetric, float64(stat.AcquiredConns()), "acquired")
	gauge(connectionsMetric, float64(stat.IdleConns()), "idle")
	gauge(connectionsMetric, float64(stat.ConstructingConns()), "constructing")
	gauge(acquiredMetric, float64(stat.AcquiredConns()))
	gauge(maxMetric, float64(stat.MaxConns()))
	gauge(pendingMetric, float64(c.store.waiting.Load()))
	gauge(leakedMetric, float64(c.store.Leaked()))
}
