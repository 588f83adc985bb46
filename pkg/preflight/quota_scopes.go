package preflight

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// within are those that count in a quota: one that has scopes is about the pods
// that all of them match.
func (n needs) within(quota corev1.ResourceQuota) needs {
	scopes := scopesOf(quota)
	return slices.DeleteFunc(slices.Clone(n), func(part podsNeeded) bool {
		return slices.ContainsFunc(scopes, func(scope corev1.ScopedResourceSelectorRequirement) bool { return !inScope(part.spec, scope) })
	})
}

// scopesOf are all that a quota has, in either way of writing them.
func scopesOf(quota corev1.ResourceQuota) []corev1.ScopedResourceSelectorRequirement {
	var scopes []corev1.ScopedResourceSelectorRequirement
	for _, name := range quota.Spec.Scopes {
		scopes = append(scopes, corev1.ScopedResourceSelectorRequirement{ScopeName: name, Operator: corev1.ScopeSelectorOpExists})
	}
	if quota.Spec.ScopeSelector != nil {
		scopes = append(scopes, quota.Spec.ScopeSelector.MatchExpressions...)
	}
	return scopes
}

// inScope reports whether a scope matches a pod. One that is not known here is
// taken to: its quota may then be said to be full without need, but never to have
// room that it hasn't.
func inScope(spec corev1.PodSpec, scope corev1.ScopedResourceSelectorRequirement) bool {
	switch scope.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return spec.ActiveDeadlineSeconds != nil
	case corev1.ResourceQuotaScopeNotTerminating:
		return spec.ActiveDeadlineSeconds == nil
	case corev1.ResourceQuotaScopeBestEffort:
		return bestEffort(spec)
	case corev1.ResourceQuotaScopeNotBestEffort:
		return !bestEffort(spec)
	case corev1.ResourceQuotaScopePriorityClass:
		return inPriority(spec.PriorityClassName, scope)
	case corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return looksElsewhere(spec.Affinity)
	case corev1.ResourceQuotaScopeVolumeAttributesClass: // of claims
		return false
	}
	return true
}

// bestEffort: no container asks for CPU or memory, in whatever way.
func bestEffort(spec corev1.PodSpec) bool {
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if request := podRequest(corev1.PodSpec{InitContainers: spec.InitContainers, Containers: spec.Containers}, name); !request.IsZero() {
			return false
		}
	}
	return true
}

// inPriority reports whether a scope matches a PriorityClass, "" for none.
func inPriority(class string, scope corev1.ScopedResourceSelectorRequirement) bool {
	switch scope.Operator {
	case corev1.ScopeSelectorOpIn:
		return slices.Contains(scope.Values, class)
	case corev1.ScopeSelectorOpNotIn:
		return !slices.Contains(scope.Values, class)
	case corev1.ScopeSelectorOpDoesNotExist:
		return class == ""
	default:
		return class != ""
	}
}

// looksElsewhere reports whether an affinity goes by pods of other namespaces.
func looksElsewhere(affinity *corev1.Affinity) bool {
	if affinity == nil {
		return false
	}
	var terms []corev1.PodAffinityTerm
	if near := affinity.PodAffinity; near != nil {
		terms = append(terms, near.RequiredDuringSchedulingIgnoredDuringExecution...)
		terms = append(terms, weighed(near.PreferredDuringSchedulingIgnoredDuringExecution)...)
	}
	if apart := affinity.PodAntiAffinity; apart != nil {
		terms = append(terms, apart.RequiredDuringSchedulingIgnoredDuringExecution...)
		terms = append(terms, weighed(apart.PreferredDuringSchedulingIgnoredDuringExecution)...)
	}
	return slices.ContainsFunc(terms, func(term corev1.PodAffinityTerm) bool {
		return len(term.Namespaces) > 0 || term.NamespaceSelector != nil
	})
}

func weighed(preferred []corev1.WeightedPodAffinityTerm) []corev1.PodAffinityTerm {
	var terms []corev1.PodAffinityTerm
	for _, one := range preferred {
		terms = append(terms, one.PodAffinityTerm)
	}
	return terms
}
