package signoff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Binding is what a sign-off was given for. Of its fields the one that its kind
// is bound to is set.
type Binding struct {
	Images []Image  `json:"images,omitempty"`
	Routes []string `json:"routes,omitempty"`
}

// Image is what one container of a workload runs.
type Image struct {
	// Workload is its kind/name, Container the name of the container.
	Workload  string `json:"workload"`
	Container string `json:"container"`
	// Reference is the image as the pod template names it, Digest what that was
	// seen to be; "" where no pod has told.
	Reference string `json:"reference"`
	Digest    string `json:"digest,omitempty"`
}

// String says it in one line.
func (b Binding) String() string {
	texts := slices.Clone(b.Routes)
	for _, image := range b.Images {
		texts = append(texts, image.Workload+" "+image.Container+" "+image.program())
	}
	return strings.Join(texts, ", ")
}

// program is the image with its digest, where that is known.
func (i Image) program() string {
	if i.Digest == "" || strings.Contains(i.Reference, "@") {
		return i.Reference
	}
	return i.Reference + "@" + i.Digest
}

// Differs says how what is there now differs from what a sign-off was given
// for, "" where it doesn't. A digest counts where both are known: before the
// pods of a new version run, only the reference is.
func (b Binding) Differs(now Binding) string {
	if was, is := strings.Join(b.Routes, ", "), strings.Join(now.Routes, ", "); was != is {
		return fmt.Sprintf("it was given for %s, and the route is %s", cmp.Or(was, "none"), cmp.Or(is, "none"))
	}
	for _, image := range now.Images {
		at := slices.IndexFunc(b.Images, image.same)
		if at < 0 {
			return fmt.Sprintf("it was not given for container %s of %s", image.Container, image.Workload)
		}
		was := b.Images[at]
		if was.Reference != image.Reference || was.Digest != image.Digest && was.Digest != "" && image.Digest != "" {
			return fmt.Sprintf("it was given for %s in container %s of %s, which is %s now", was.program(), image.Container, image.Workload, image.program())
		}
	}
	for _, was := range b.Images {
		if !slices.ContainsFunc(now.Images, was.same) {
			return fmt.Sprintf("it was given with container %s of %s, which is gone", was.Container, was.Workload)
		}
	}
	return ""
}

func (i Image) same(other Image) bool {
	return i.Workload == other.Workload && i.Container == other.Container
}
