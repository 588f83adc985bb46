// Command release builds what a release is made of: the archives, their bills of
// materials, the checksums, the image for Jobs, and the pins by which the Action
// knows its engine. It publishes nothing.
//
//	release --goreleaser PATH --version v1.2.3 --out dist/release                          # of the newest commit
//	release --goreleaser PATH --version v1.2.3 --out dist/release --verify archives.json   # what is pinned, again
//
// It builds a clone of one commit, so nothing that lies around gets in. With --verify
// the commit is the pinned one, and every byte has to be the same.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// options say what is built.
type options struct {
	// Checkout is the repository.
	Checkout string
	// GoReleaser is the program that builds and packs.
	GoReleaser string
	// Version is the tag that the release has or will have.
	Version string
	// Out is the folder that what was built comes to; it is made anew.
	Out string
	// Verify is a file of pins that what is built has to be, "" for none.
	Verify string
	// Only is the one target that is built, such as linux_amd64; "" for all.
	Only string
	// Image is what the programs are linked with as their image, "" to make it. Of one
	// target alone another image is made than of all.
	Image string
	// Told is where what takes long is told.
	Told io.Writer
}

func run(ctx context.Context, args []string, told io.Writer) error {
	wanted := options{Told: told}
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.StringVar(&wanted.Checkout, "checkout", "..", "the repository")
	flags.StringVar(&wanted.GoReleaser, "goreleaser", "goreleaser", "the program that builds and packs")
	flags.StringVar(&wanted.Version, "version", "", "the tag that the release has or will have, such as v1.2.3; a snapshot's without it")
	flags.StringVar(&wanted.Out, "out", "", "the folder for what is built; it is made anew")
	flags.StringVar(&wanted.Verify, "verify", "", "build what this file pins, and compare")
	flags.StringVar(&wanted.Only, "only", "", "the one target that is built, such as linux_amd64")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if wanted.Out == "" || flags.NArg() > 0 {
		return errors.New("read arguments: expected --out FOLDER, and nothing beside the flags")
	}
	return build(ctx, wanted)
}

// tag is a version as tags of releases are, by the rules of semantic versions.
var tag = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

// build builds one commit, and compares where that was asked for.
func build(ctx context.Context, wanted options) error {
	commit := "HEAD"
	var before pins
	if wanted.Verify != "" {
		var err error
		if before, err = readPins(wanted.Verify); err != nil {
			return err
		}
		if err := pinned(ctx, wanted, before); err != nil {
			return err
		}
		commit = before.Commit
	}
	work, err := os.MkdirTemp("", "release-")
	if err != nil {
		return fmt.Errorf("make a folder to build in: %w", err)
	}
	defer os.RemoveAll(work)
	source, err := clone(ctx, wanted.Checkout, commit, filepath.Join(work, "source"))
	if err != nil {
		return err
	}
	if wanted.Version == "" {
		wanted.Version = "v0.0.0-" + source.Commit[:12]
	}
	if !tag.MatchString(wanted.Version) {
		return fmt.Errorf("read version %q: expected v1.2.3, or v1.2.3-rc.1", wanted.Version)
	}
	if err := errors.Join(os.RemoveAll(wanted.Out), os.MkdirAll(wanted.Out, 0o755)); err != nil {
		return fmt.Errorf("make %s anew: %w", wanted.Out, err)
	}
	after, err := source.make(ctx, wanted)
	if err != nil || wanted.Verify == "" {
		return err
	}
	return before.compare(after)
}
