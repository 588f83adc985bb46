package preflight

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

func imagesPinned() Check {
	return Check{
		ID: "BG-COL-12", Title: "images are pinned by tag or digest", Area: AreaColors,
		Stages: []Stage{StagePR, StageDeploy},
		Why:    "A pod that is replaced in the middle of a release, or in a rollback, must come back as the same program. An image without a tag, or :latest, is whatever was pushed last.",
		Remedy: "set spec.template.spec.containers[].image to a tag that is never moved, or to a digest (@sha256:…)",
		Source: "first runbook, When to use (versioned service updates)",
		Evaluate: func(facts *Facts) []Finding {
			return eachWorkload(facts, facts.colors(), imagesOf)
		},
	}
}

func imagesOf(subject string, template corev1.PodTemplateSpec) Finding {
	var images []string
	for index, container := range template.Spec.Containers {
		images = append(images, container.Image)
		if strings.ContainsAny(container.Image, "${}") { // which no name of an image holds
			return warn(subject, "container %s has the image %s, a template that nobody has filled in", container.Name, container.Image).
				at("spec.template.spec.containers[%d].image", index).
				fix("fill it in before the manifests are checked and applied, with a tag that is never moved or a digest (@sha256:…)")
		}
		if movable(container.Image) {
			return warn(subject, "container %s runs image %s, which can change under it", container.Name, container.Image).
				at("spec.template.spec.containers[%d].image", index)
		}
	}
	return pass(subject, "its images are pinned").with("images", strings.Join(images, ", "))
}

// movable reports whether an image has neither a digest nor a tag but latest.
func movable(image string) bool {
	if strings.Contains(image, "@") {
		return false
	}
	_, tag, tagged := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	return !tagged || tag == "latest"
}
