// Command sbom writes the software bill of materials of an archive of a release:
// which modules its programs are linked with, as the Go toolchain stamped them, in
// CycloneDX 1.6. It holds no time and no random number, so the same archive
// always has the same one.
//
//	sbom --out kubectl-bluegreen_linux_amd64.tar.gz.cdx.json kubectl-bluegreen_linux_amd64.tar.gz
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("sbom", flag.ContinueOnError)
	out := flags.String("out", "", "the file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || flags.NArg() != 1 {
		return errors.New("read arguments: expected --out FILE, and one archive")
	}
	found, err := programs(flags.Arg(0))
	if err != nil {
		return err
	}
	text, err := document(filepath.Base(flags.Arg(0)), found)
	if err != nil {
		return err
	}
	return os.WriteFile(*out, text, 0o644)
}
