package image

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Repository is what an image that nobody has named is called.
const Repository = "bluegreen.dev/kubectl-bluegreen"

// notInTag is what the tag of a reference can't hold.
var notInTag = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// Reference is the name of an image that nobody has named: the repository and
// the program's version, so far as a tag can hold that.
func Reference(program Program) string {
	tag := strings.Trim(notInTag.ReplaceAllString(program.Version, "-"), "-.")
	if tag == "" {
		tag = "devel"
	}
	return Repository + ":" + tag[:min(len(tag), 128)]
}

// ParseTag reads REPOSITORY:TAG; without a tag it is latest.
func ParseTag(reference string) (name.Tag, error) {
	tag, err := name.NewTag(reference)
	if err != nil {
		return name.Tag{}, release.WithHint(fmt.Errorf("read image reference %q: %w", reference, err), "such as registry.example.com/tools/kubectl-bluegreen:v1")
	}
	return tag, nil
}

// Save writes an image as an archive under a tag, which `docker load`, `kind
// load image-archive`, `minikube image load` and `ctr images import` read. It
// returns the image's digest.
func Save(out io.Writer, tag name.Tag, built v1.Image) (v1.Hash, error) {
	digest, err := built.Digest()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("save image %s: %w", tag, err)
	}
	if err := tarball.Write(tag, built, out); err != nil {
		return v1.Hash{}, fmt.Errorf("save image %s: %w", tag, err)
	}
	return digest, nil
}
