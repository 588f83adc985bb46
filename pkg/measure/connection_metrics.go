package measure

// ConnectionMetrics are the names of the metrics by which sources read how many
// connections are taken, how many there may be, and what PostgreSQL keeps back of
// those: the exporter's, and each pool's.
func ConnectionMetrics() (used, maximum, reserved []string) {
	used = []string{metricBackends}
	maximum = []string{metricLimit, metricDatabaseLimit, metricRoleLimit}
	for _, pool := range poolMetrics() {
		used, maximum = append(used, pool.used), append(maximum, pool.max)
	}
	return used, maximum, []string{metricSuperuser, metricReserved}
}
