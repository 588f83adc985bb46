package release

import "fmt"

// checkWorkers checks a release whose switch is scaling: what is scaled, and
// what of a route makes no sense then.
func (c *checker) checkWorkers(traffic Traffic) {
	if traffic.Workers == nil {
		return
	}
	c.oneOf("spec.traffic.workers.order", traffic.Workers.Order, NewFirst, OldFirst)
	if len(traffic.Also) > 0 {
		c.report("spec.traffic.also", "stands beside workers, which are switched by their replicas and alone", "make two releases of them, one for each kind of route")
	}
	if traffic.Drain == DrainRecycle {
		c.report("spec.traffic.drain", "recycle restarts pods to which connections are open, and workers have none", "write wait, which waits until the old side's pods are gone, or none")
	}
	for name, color := range sortedPairs(c.document.Spec.Colors) {
		c.checkWorker(join(join("spec.colors", name), "workloads"), color.Workloads)
	}
}

// checkWorker wants one Deployment: its replicas are the share of its colour.
func (c *checker) checkWorker(field string, workloads []Workload) {
	switch {
	case len(workloads) > 1:
		c.report(field, fmt.Sprintf("has %d workloads, and with traffic.workers the replicas of one are the share of its colour", len(workloads)),
			"make a release for each Deployment of workers")
	case len(workloads) == 1 && workloads[0].Kind != "deployment":
		c.report(field+"[0]", fmt.Sprintf("%s is no Deployment, and with traffic.workers each colour is one", shown(workloads[0].String())), "write workloads: [deployment/NAME]")
	}
}
