// Command mirror packs an engine as a release for this machine does, pins it for the
// Action of a checkout, and serves it on loopback until it is ended: the Action
// then fetches what was just built.
//
//	mirror --engine=bin/bluegreen-action --pins=action/archives.json --address=127.0.0.1:8001
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/action"
)

// version is the release that is played.
const version = "v0.0.0"

func main() {
	engine := flag.String("engine", "", "the bluegreen-action that is packed")
	pins := flag.String("pins", "", "the file that its pins are written to")
	address := flag.String("address", "", "where it is served, such as 127.0.0.1:8001")
	flag.Parse()
	if err := serve(*engine, *pins, *address); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// serve answers once the pins are written, and not before.
func serve(engine, pins, address string) error {
	program, err := os.ReadFile(engine)
	if err != nil {
		return fmt.Errorf("read engine: %w", err)
	}
	within := "bluegreen-action"
	if runtime.GOOS == "windows" {
		within += ".exe"
	}
	packed, err := action.Pack(runtime.GOOS, map[string]string{within: string(program)})
	if err != nil {
		return fmt.Errorf("pack engine: %w", err)
	}
	text, err := action.Pins(version, runtime.GOOS+"_"+runtime.GOARCH, packed, program)
	if err != nil {
		return fmt.Errorf("pin engine: %w", err)
	}
	if err := os.WriteFile(pins, text, 0o600); err != nil {
		return fmt.Errorf("pin engine: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("serve engine: %w", err)
	}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /"+version+"/"+action.Name(runtime.GOOS, runtime.GOARCH), func(answer http.ResponseWriter, _ *http.Request) {
		_, _ = answer.Write(packed) // who asked may be gone
	})
	return (&http.Server{Handler: routes, ReadHeaderTimeout: time.Minute}).Serve(listener)
}
