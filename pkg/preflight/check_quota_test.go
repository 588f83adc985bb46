package preflight

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// quotaFor is one with some limits, of which all is used in full.
func quotaFor(hard map[corev1.ResourceName]string, scopes ...corev1.ResourceQuotaScope) corev1.ResourceQuota {
	limits := corev1.ResourceList{}
	for name, amount := range hard {
		limits[name] = resource.MustParse(amount)
	}
	return corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "pods"}, Spec: corev1.ResourceQuotaSpec{Scopes: scopes},
		Status: corev1.ResourceQuotaStatus{Hard: limits, Used: limits.DeepCopy()}}
}

// The three pods of green are still to come, each with requests of 100m and 64Mi.
func TestWhatAQuotaLimits(t *testing.T) {
	limited := func(container *corev1.Container) {
		container.Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi")}
	}
	for name, test := range map[string]struct {
		hard      map[corev1.ResourceName]string
		container func(*corev1.Container)
		want      Outcome
		says      string
	}{
		"limits of memory":          {map[corev1.ResourceName]string{"limits.memory": "3Gi"}, limited, Fail, "limits.memory would be 6Gi of 3Gi"},
		"limits of CPU":             {map[corev1.ResourceName]string{"limits.cpu": "3"}, limited, Fail, "limits.cpu would be 6 of 3"},
		"requests":                  {map[corev1.ResourceName]string{"requests.cpu": "300m"}, nil, Fail, "requests.cpu would be 600m of 300m"},
		"requests without a prefix": {map[corev1.ResourceName]string{"memory": "192Mi"}, nil, Fail, "memory would be 384Mi of 192Mi"},
		"limits are requests where nothing else is": {map[corev1.ResourceName]string{"requests.memory": "3Gi"}, func(container *corev1.Container) {
			limited(container)
			container.Resources.Requests = nil
		}, Fail, "requests.memory would be 6Gi of 3Gi"},
		"a resource of a vendor": {map[corev1.ResourceName]string{"requests.example.com/gpu": "3"}, func(container *corev1.Container) {
			container.Resources.Limits = corev1.ResourceList{"example.com/gpu": resource.MustParse("2")}
		}, Fail, "requests.example.com/gpu would be 9 of 3"},
		"what they don't ask for": {map[corev1.ResourceName]string{"services": "5", "requests.storage": "1Gi"}, nil,
			Pass, "it has room for 3 more pods; not reckoned with: requests.storage, services"},
	} {
		t.Run(name, func(t *testing.T) {
			facts := greenToCome(test.container, nil)
			facts.Quotas.Value[0] = quotaFor(test.hard)
			assertQuota(t, facts, test.want, test.says)
		})
	}
}

// A quota on CPU or memory refuses pods of which a container states none, unless a
// LimitRange fills it in; what that does counts.
func TestQuotaOfPodsThatStateNothing(t *testing.T) {
	list := func(amounts map[corev1.ResourceName]string) corev1.ResourceList {
		return quotaFor(amounts).Status.Hard
	}
	ranges := func(kind corev1.LimitType, limit, request map[corev1.ResourceName]string) Fact[[]corev1.LimitRange] {
		return known([]corev1.LimitRange{{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{Type: kind, Default: list(limit), DefaultRequest: list(request)}}}}})
	}
	modest := func(container *corev1.Container) { container.Resources = corev1.ResourceRequirements{} }
	nothing := func(container *corev1.Container) {
		container.Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("0")}
	}
	none, halfCPU := known([]corev1.LimitRange{}), map[corev1.ResourceName]string{"cpu": "500m"}
	for name, test := range map[string]struct {
		limit, hard string
		container   func(*corev1.Container)
		ranges      Fact[[]corev1.LimitRange]
		want        Outcome
		says        string
	}{
		"limits of CPU":           {"limits.cpu", "100", nil, none, Fail, "container app states no limits.cpu, and no LimitRange fills it in"},
		"requests of memory":      {"requests.memory", "100Gi", modest, none, Fail, "container app states no requests.memory"},
		"without a prefix":        {"memory", "100Gi", modest, none, Fail, "container app states no memory"},
		"a limit of 0":            {"limits.cpu", "100", nothing, none, Pass, "it has room for 3 more pods"},
		"a default":               {"limits.cpu", "100", nil, ranges(corev1.LimitTypeContainer, halfCPU, nil), Pass, "it has room for 3 more pods"},
		"a default that is many":  {"limits.cpu", "1", nil, ranges(corev1.LimitTypeContainer, halfCPU, nil), Fail, "limits.cpu would be 1500m of 1"},
		"a default of requests":   {"requests.cpu", "1", modest, ranges(corev1.LimitTypeContainer, nil, halfCPU), Fail, "requests.cpu would be 1500m of 1"},
		"what is stated goes on":  {"requests.cpu", "1", nil, ranges(corev1.LimitTypeContainer, nil, halfCPU), Pass, "it has room for 3 more pods"},
		"a default for pods":      {"limits.cpu", "100", nil, ranges(corev1.LimitTypePod, halfCPU, nil), Fail, "no LimitRange fills it in"},
		"of something else":       {"limits.memory", "100Gi", nil, ranges(corev1.LimitTypeContainer, halfCPU, nil), Fail, "states no limits.memory"},
		"LimitRanges unread":      {"limits.cpu", "100", nil, Fact[[]corev1.LimitRange]{Problem: "list limitranges in shop: forbidden"}, Unknown, "whether a LimitRange fills it in is not known: list limitranges in shop: forbidden"},
		"unread, and no matter":   {"requests.cpu", "100", nil, Fact[[]corev1.LimitRange]{Problem: "forbidden"}, Pass, "it has room for 3 more pods"},
		"what need not be stated": {"requests.ephemeral-storage", "1Gi", modest, none, Pass, "not reckoned with: requests.ephemeral-storage"},
	} {
		t.Run(name, func(t *testing.T) {
			facts := greenToCome(test.container, nil)
			facts.LimitRanges = test.ranges
			quota := quotaFor(map[corev1.ResourceName]string{corev1.ResourceName(test.limit): test.hard})
			quota.Status.Used = nil
			facts.Quotas.Value[0] = quota
			assertQuota(t, facts, test.want, test.says)
		})
	}
}

// A quota is about pods in all of its scopes, and about all where it has none.
func TestScopesOfAQuota(t *testing.T) {
	const outside = "none of the pods that are still to come is in its scope"
	full := map[corev1.ResourceName]string{"pods": "3"}
	selecting := func(operator corev1.ScopeSelectorOperator, values ...string) corev1.ResourceQuota {
		quota := quotaFor(full)
		quota.Spec.ScopeSelector = &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{
			{ScopeName: corev1.ResourceQuotaScopePriorityClass, Operator: operator, Values: values}}}
		return quota
	}
	important := func(spec *corev1.PodSpec) { spec.PriorityClassName = "high" }
	away := func(spec *corev1.PodSpec) {
		spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{
			{PodAffinityTerm: corev1.PodAffinityTerm{Namespaces: []string{"other"}}}}}}
	}
	ending := func(spec *corev1.PodSpec) { spec.ActiveDeadlineSeconds = ptr.To(int64(60)) }
	modest := func(spec *corev1.PodSpec) { spec.Containers[0].Resources = corev1.ResourceRequirements{} }
	for name, test := range map[string]struct {
		quota  corev1.ResourceQuota
		spec   func(*corev1.PodSpec)
		counts bool
	}{
		"of jobs":                        {quotaFor(full, corev1.ResourceQuotaScopeTerminating), nil, false},
		"of what ends":                   {quotaFor(full, corev1.ResourceQuotaScopeTerminating), ending, true},
		"of what doesn't end":            {quotaFor(full, corev1.ResourceQuotaScopeNotTerminating), nil, true},
		"of what doesn't, and it does":   {quotaFor(full, corev1.ResourceQuotaScopeNotTerminating), ending, false},
		"of best effort":                 {quotaFor(full, corev1.ResourceQuotaScopeBestEffort), nil, false},
		"of best effort, and it is":      {quotaFor(full, corev1.ResourceQuotaScopeBestEffort), modest, true},
		"of what asks":                   {quotaFor(full, corev1.ResourceQuotaScopeNotBestEffort), nil, true},
		"of what asks, and it doesn't":   {quotaFor(full, corev1.ResourceQuotaScopeNotBestEffort), modest, false},
		"one of two":                     {quotaFor(full, corev1.ResourceQuotaScopeNotTerminating, corev1.ResourceQuotaScopeBestEffort), nil, false},
		"of any priority":                {quotaFor(full, corev1.ResourceQuotaScopePriorityClass), nil, false},
		"of any priority, and it has":    {quotaFor(full, corev1.ResourceQuotaScopePriorityClass), important, true},
		"of a priority":                  {selecting(corev1.ScopeSelectorOpIn, "high"), important, true},
		"of another priority":            {selecting(corev1.ScopeSelectorOpIn, "low"), important, false},
		"of others than a priority":      {selecting(corev1.ScopeSelectorOpNotIn, "high"), important, false},
		"of others than another":         {selecting(corev1.ScopeSelectorOpNotIn, "low"), nil, true},
		"of no priority":                 {selecting(corev1.ScopeSelectorOpDoesNotExist), nil, true},
		"of other namespaces":            {quotaFor(full, corev1.ResourceQuotaScopeCrossNamespacePodAffinity), nil, false},
		"of other namespaces, and it is": {quotaFor(full, corev1.ResourceQuotaScopeCrossNamespacePodAffinity), away, true},
		"of claims":                      {quotaFor(full, corev1.ResourceQuotaScopeVolumeAttributesClass), nil, false},
		"of what nobody has heard of":    {quotaFor(full, "Later"), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			facts := greenToCome(nil, test.spec)
			facts.Quotas.Value[0] = test.quota
			if test.counts {
				assertQuota(t, facts, Fail, "pods would be 6 of 3")
			} else {
				assertQuota(t, facts, Pass, outside)
			}
		})
	}
}

// greenToCome is the healthy release before any pod of green is there, without a
// trial of how pods end.
func greenToCome(container func(*corev1.Container), spec func(*corev1.PodSpec)) *Facts {
	facts := healthy()
	facts.Release.Spec.Traffic.Drain = release.DrainNone
	facts.color("green", func(c *Color) { c.Planned, c.Owned = true, known([]corev1.Pod(nil)) })
	if container != nil {
		facts.container("green", container)
	}
	if spec != nil {
		facts.workload("green", func(w *cluster.Workload) { spec(&w.Template.Spec) })
	}
	return facts
}

func assertQuota(t *testing.T, facts *Facts, want Outcome, says string) {
	t.Helper()
	finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-COL-10")[0]
	if finding.Outcome != want || !strings.Contains(finding.Cause, says) {
		t.Errorf("%s: %s; want %s: %s", finding.Outcome, finding.Cause, want, says)
	}
}
