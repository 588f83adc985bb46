package preflight

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func limitRanges(ctx context.Context, in Inputs) Fact[[]corev1.LimitRange] {
	found, err := everyPage(func(options metav1.ListOptions) ([]corev1.LimitRange, string, error) {
		page, err := in.Client.Kubernetes.CoreV1().LimitRanges(in.namespace()).List(ctx, options)
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.Continue, nil
	})
	if err != nil {
		return notKnown[[]corev1.LimitRange](fmt.Errorf("list limitranges in %s: %w", in.namespace(), err))
	}
	return known(found)
}

// withDefaults is a pod as it will be made: what its containers leave open is filled in
// by the API server from their own limits, and then by the LimitRanges of the
// namespace, of which the first that has something wins.
func withDefaults(spec corev1.PodSpec, ranges []corev1.LimitRange) corev1.PodSpec {
	spec = *spec.DeepCopy()
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			resources := &containers[i].Resources
			resources.Requests = filledIn(resources.Requests, resources.Limits)
			for _, limited := range ranges {
				for _, item := range limited.Spec.Limits {
					if item.Type == corev1.LimitTypeContainer {
						resources.Requests = filledIn(resources.Requests, item.DefaultRequest)
						resources.Limits = filledIn(resources.Limits, item.Default)
					}
				}
			}
		}
	}
	return spec
}

// filledIn is a list with what only the other one has.
func filledIn(list, other corev1.ResourceList) corev1.ResourceList {
	if len(other) == 0 {
		return list
	}
	filled := maps.Clone(other)
	maps.Copy(filled, list)
	return filled
}

// mustBeStated are what a quota that limits them wants each container to state, 0 or
// more: it refuses the pod of one that doesn't.
func mustBeStated() []corev1.ResourceName {
	return []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory,
		corev1.ResourceLimitsCPU, corev1.ResourceLimitsMemory}
}

// unstated is the first of a quota's limits of which some container of the pods says
// nothing, and that container; "" where each says what it must.
func unstated(quota corev1.ResourceQuota, need needs) (limit corev1.ResourceName, container string) {
	for _, limit := range slices.Sorted(maps.Keys(quota.Status.Hard)) {
		if !slices.Contains(mustBeStated(), limit) {
			continue
		}
		for _, part := range need {
			if spec := part.spec; spec.Resources != nil && states(*spec.Resources, limit) {
				continue // for the pod as a whole
			}
			for _, one := range slices.Concat(part.spec.InitContainers, part.spec.Containers) {
				if !states(one.Resources, limit) {
					return limit, one.Name
				}
			}
		}
	}
	return "", ""
}

func states(resources corev1.ResourceRequirements, limit corev1.ResourceName) bool {
	if name, limits := strings.CutPrefix(string(limit), "limits."); limits {
		_, stated := resources.Limits[corev1.ResourceName(name)]
		return stated
	}
	_, stated := resources.Requests[corev1.ResourceName(strings.TrimPrefix(string(limit), corev1.DefaultResourceRequestsPrefix))]
	return stated
}
