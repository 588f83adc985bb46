package traffic

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func bluePod(name string) recyclePod {
	return recyclePod{name: name, uid: types.UID(name), ready: true, images: "app=sha256:1", config: "h1", detail: "pod " + name}
}

func with(pod recyclePod, change func(*recyclePod)) recyclePod {
	change(&pod)
	return pod
}

func TestDecideRecycle(t *testing.T) {
	a, b, c, d := bluePod("a"), bluePod("b"), bluePod("c"), bluePod("d")
	start := []recyclePod{a, b, c}
	residual := map[string]float64{"a": 1, "b": 5, "c": 0}
	unready := func(pod *recyclePod) { pod.ready = false }
	ending := func(pod *recyclePod) { pod.ready, pod.ending = false, true }
	for name, test := range map[string]struct {
		floor   int
		pods    []recyclePod
		evicted []types.UID
		action  recycleAction
		pod     string
		reason  string
	}{
		"the busiest first":               {2, start, nil, recycleEvict, "b", ""},
		"the floor":                       {3, start, nil, recycleStop, "", "without pod b 2 pods would be ready, fewer than the 3"},
		"one that isn't ready costs none": {2, []recyclePod{a, with(b, unready), c, d}, nil, recycleEvict, "b", ""},
		"it still ends":                   {2, []recyclePod{a, with(b, ending), c, d}, []types.UID{"b"}, recycleWait, "", "pod b has not ended"},
		"no replacement yet":              {2, []recyclePod{a, c}, []types.UID{"b"}, recycleWait, "", "only 2 of 3 pods are ready"},
		"a replacement that starts":       {2, []recyclePod{a, c, with(d, unready)}, []types.UID{"b"}, recycleWait, "", "the replacement is not ready: pod d"},
		"replaced, the next":              {2, []recyclePod{a, c, d}, []types.UID{"b"}, recycleEvict, "a", ""},
		"the one without requests stays":  {2, []recyclePod{c, d, bluePod("e")}, []types.UID{"b", "a"}, recycleDone, "", ""},
		"another image": {2, []recyclePod{a, c, with(d, func(p *recyclePod) { p.images = "app=sha256:2" })}, []types.UID{"b"},
			recycleStop, "", "pod d runs another image"},
		"another template, even before it is ready": {2, []recyclePod{a, c, with(d, func(p *recyclePod) { p.ready, p.config = false, "h2" })}, []types.UID{"b"},
			recycleStop, "", "pod d was made from another template (h2)"},
		"another template before the first": {2, []recyclePod{a, b, c, with(d, func(p *recyclePod) { p.config = "h2" })}, nil,
			recycleStop, "", "another template"},
		"one went by itself, none came": {2, []recyclePod{a, c}, nil, recycleWait, "", "only 2 of 3"},
		"it ends by itself":             {1, []recyclePod{a, with(b, ending), c, d}, nil, recycleEvict, "a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			evicted := map[types.UID]bool{}
			for _, uid := range test.evicted {
				evicted[uid] = true
			}
			step := decideRecycle(planRecycle(start, residual, test.floor), test.pods, evicted)
			if step.action != test.action || step.pod.name != test.pod || !strings.Contains(step.reason, test.reason) {
				t.Errorf("got action %d, pod %q, reason %q", step.action, step.pod.name, step.reason)
			}
		})
	}
	plan := planRecycle(start, residual, 2)
	if !slices.Equal(plan.queue, []types.UID{"b", "a"}) {
		t.Errorf("queue %v", plan.queue)
	}
}
