package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"

	registryname "github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/image"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const imageLong = `Make the image in which a run works as a Job, of this very program.

It holds one static Linux binary and nothing else, and runs as a user that is
not root. A cluster that can reach the registry of a release needs none of
this: shift --detach and shift --guard know their image by its digest.`

// newImage groups what makes the image of this program.
func newImage(call *invocation) *cobra.Command {
	parent := newParent(&cobra.Command{
		Use:   "image",
		Short: "Make the image for shift --detach and shift --guard",
		Long:  imageLong,
	})
	parent.AddCommand(newImageSave(call), newImagePush(call))
	return parent
}

// imageFlags say of which binary an image is made.
type imageFlags struct {
	binary   string
	platform string
}

func (f *imageFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.binary, "binary", "", "a static Linux build of this program; without it the one that is running")
	cmd.Flags().StringVar(&f.platform, "platform", "", "what the binary must be built for, such as linux/arm64; without it whatever it is built for")
	complete(cmd, "platform", "linux/amd64", "linux/arm64")
}

// open judges the binary that the flags name.
func (f *imageFlags) open() (image.Program, error) {
	path := f.binary
	if path == "" {
		var err error
		if path, err = image.Self(); err != nil {
			return image.Program{}, err
		}
	}
	return image.Open(path, f.platform)
}

func newImageSave(call *invocation) *cobra.Command {
	flags := struct {
		imageFlags
		output, tag string
	}{}
	command := &cobra.Command{
		Use:   "save [--output FILE|-] [--tag REFERENCE]",
		Short: "Write the image as an archive, for a cluster that can't pull it",
		Example: `  # for nodes that load archives: kind, minikube, k3d, ctr
  kubectl bluegreen image save --output image.tar
  kind load image-archive image.tar

  # from a Mac, of a Linux build
  kubectl bluegreen image save --binary dist/linux-arm64/kubectl-bluegreen | docker load`,
		Args: atMost(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			return call.imageSave(&flags.imageFlags, flags.output, flags.tag)
		},
	}
	flags.add(command)
	command.Flags().StringVarP(&flags.output, "output", "o", "-", "the file to write; - is stdout")
	command.Flags().StringVar(&flags.tag, "tag", "", "what the image is called, as REPOSITORY:TAG; without it "+image.Repository+" and the version")
	return command
}

func (i *invocation) imageSave(flags *imageFlags, output, reference string) error {
	if output == "-" && i.streams.out.terminal {
		return release.WithHint(errors.New("an archive is not for a terminal"), "name a file: --output image.tar, or pipe it: | docker load")
	}
	program, err := flags.open()
	if err != nil {
		return err
	}
	if reference == "" {
		reference = image.Reference(program)
	}
	tag, err := image.ParseTag(reference)
	if err != nil {
		return err
	}
	built, err := image.Build(program)
	if err != nil {
		return err
	}
	digest, err := i.writeImage(output, tag, built)
	if err != nil {
		return err
	}
	i.note("saved %s for %s, digest %s", tag, program.Platform, digest)
	if output != "-" {
		i.note("load it into the cluster's nodes, then: %s shift --detach --image %s", name, tag)
	}
	return nil
}

// writeImage writes the archive to a file, which is whole or not there, or to
// stdout.
func (i *invocation) writeImage(output string, tag registryname.Tag, built v1.Image) (digest v1.Hash, err error) {
	if output == "-" {
		return image.Save(i.streams.Out, tag, built)
	}
	err = writeAtomically(output, 0o644, func(file io.Writer) (failure error) {
		digest, failure = image.Save(file, tag, built)
		return failure
	})
	if err != nil {
		return digest, fmt.Errorf("save image: %w", err)
	}
	return digest, nil
}

func newImagePush(call *invocation) *cobra.Command {
	flags := &imageFlags{}
	command := &cobra.Command{
		Use:   "push REPOSITORY:TAG",
		Short: "Push the image to a registry and print its reference by digest",
		Example: `  kubectl bluegreen image push registry.example.com/tools/kubectl-bluegreen:v1
  kubectl bluegreen shift --detach --image "$(kubectl bluegreen image push registry.example.com/tools/kubectl-bluegreen:v1)"`,
		Long: `Push the image to a registry, with the credentials that docker login has left.

The one line on stdout is the image's reference with its digest, which is what
shift --detach --image takes.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, "image push needs the name of the image, as REPOSITORY:TAG")
			}
			return atMost(1, "one argument")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.imagePush(cmd.Context(), flags, args[0])
		},
	}
	flags.add(command)
	return command
}

func (i *invocation) imagePush(ctx context.Context, flags *imageFlags, reference string) error {
	tag, err := image.ParseTag(reference)
	if err != nil {
		return err
	}
	program, err := flags.open()
	if err != nil {
		return err
	}
	built, err := image.Build(program)
	if err != nil {
		return err
	}
	pinned, err := image.Push(ctx, tag, built, image.Keychain())
	if err != nil {
		return err
	}
	i.note("pushed %s for %s", tag, program.Platform)
	_, err = io.WriteString(i.streams.Out, pinned+"\n")
	return err
}
