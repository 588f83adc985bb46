package image

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// module is this program's, as the Go toolchain stamps it on a binary.
const module = "github.com/bluegreen-dev/kubectl-bluegreen"

// Program is a static Linux binary of this program, found fit for an image.
type Program struct {
	// Path is where it lies.
	Path string
	// Platform is what it runs on, such as linux/arm64.
	Platform v1.Platform
	// Version and Revision are what the Go toolchain stamped on it: the
	// module's version and the commit. Revision is "" when it isn't known.
	Version, Revision string
	// Committed is when the commit was made; zero when that isn't known.
	Committed time.Time
}

// Open judges a binary. platform, such as linux/arm64, is what it must be
// built for; "" takes the binary's own. The error of a binary that an image
// can't be made of has a hint that says how to get one.
func Open(path, platform string) (Program, error) {
	wanted, err := parsePlatform(platform)
	if err != nil {
		return Program{}, err
	}
	file, err := elf.Open(path)
	if missing := (*fs.PathError)(nil); errors.As(err, &missing) {
		return Program{}, fmt.Errorf("read program %s: %w", path, missing.Err)
	}
	if err != nil {
		return Program{}, refusal(path, "is not a Linux program", wanted.Architecture)
	}
	defer file.Close()
	for _, header := range file.Progs {
		if header.Type == elf.PT_INTERP {
			return Program{}, refusal(path, "is not static: it needs a loader and libraries, which the image does not have", wanted.Architecture)
		}
	}
	return identify(path, wanted)
}

// identify reads what the Go toolchain stamped on a binary.
func identify(path string, wanted v1.Platform) (Program, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil || info.Main.Path != module {
		return Program{}, refusal(path, "is not kubectl-bluegreen", wanted.Architecture)
	}
	stamps := stampsOf(info)
	found := Program{Path: path, Version: info.Main.Version, Revision: stamps["vcs.revision"],
		Platform: v1.Platform{OS: stamps["GOOS"], Architecture: stamps["GOARCH"]}}
	if when, err := time.Parse(time.RFC3339, stamps["vcs.time"]); err == nil {
		found.Committed = when.UTC()
	}
	switch {
	case found.Platform.OS != "linux":
		return Program{}, refusal(path, "is built for "+found.Platform.String()+", not for Linux", wanted.Architecture)
	case wanted.Architecture != "" && wanted.Architecture != found.Platform.Architecture:
		return Program{}, refusal(path, "is built for "+found.Platform.String()+", not for linux/"+wanted.Architecture, wanted.Architecture)
	}
	return found, nil
}

func stampsOf(info *debug.BuildInfo) map[string]string {
	stamps := map[string]string{}
	for _, setting := range info.Settings {
		stamps[setting.Key] = setting.Value
	}
	return stamps
}

// parsePlatform reads linux/ARCHITECTURE; "" is any architecture.
func parsePlatform(text string) (v1.Platform, error) {
	if text == "" {
		return v1.Platform{OS: "linux"}, nil
	}
	platform, err := v1.ParsePlatform(text)
	if err != nil || platform.OS != "linux" || platform.Architecture == "" || platform.Variant != "" {
		return v1.Platform{}, release.WithHint(fmt.Errorf("unknown platform %q", text), "such as linux/amd64 or linux/arm64")
	}
	return *platform, nil
}

// refusal says why no image is made of a binary, and how to get one that fits.
func refusal(path, why, architecture string) error {
	target := "GOOS=linux "
	if architecture != "" {
		target += "GOARCH=" + architecture + " "
	}
	return release.WithHint(fmt.Errorf("make an image of %s: it %s", path, why),
		"name a static Linux build of this program with --binary PATH; one is built with: CGO_ENABLED=0 "+target+
			"go build -o PATH "+module+"/cmd/kubectl-bluegreen")
}

// Self is the path of the program that is running.
func Self() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the program that is running: %w", err)
	}
	return path, nil
}
