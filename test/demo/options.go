package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The values of --cluster.
const (
	clusterLab     = "lab"
	clusterCurrent = "current"
)

// options are the command line.
type options struct {
	// cluster is where to tell the story: lab or current.
	cluster string
	// plugin is the path of kubectl-bluegreen.
	plugin string
	// keep leaves everything in place at the end.
	keep bool
	// yes is consent to use a cluster that may not be on this machine.
	yes bool
	// rate is requests per second of all clients together.
	rate int
	// inside is the lab that this process runs in, "" for none.
	inside string
	// deployed says that the database and the monitoring run already.
	deployed bool
}

// parse reads the command line.
func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.cluster, "cluster", clusterLab, `"lab" brings a cluster up; "current" uses that of the kubeconfig`)
	flags.StringVar(&o.plugin, "plugin", "", "path of kubectl-bluegreen")
	flags.BoolVar(&o.keep, "keep", false, "leave the cluster, or what was put on it, as it is at the end")
	flags.BoolVar(&o.yes, "yes", false, "use the current cluster even if it may not be on this machine")
	flags.IntVar(&o.rate, "rate", 150, "requests per second of all clients together")
	flags.StringVar(&o.inside, "inside", "", "the lab whose kubeconfig this is; the demo itself sets it")
	flags.BoolVar(&o.deployed, "deployed", false, "the database and the monitoring run already; the demo itself sets it")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	return o.complete(flags.Args())
}

// complete checks what was read.
func (o options) complete(rest []string) (options, error) {
	if len(rest) > 0 {
		return options{}, fmt.Errorf("read arguments: %q is not a flag", rest[0])
	}
	if o.cluster != clusterLab && o.cluster != clusterCurrent {
		return options{}, fmt.Errorf("read --cluster: %q is neither lab nor current", o.cluster)
	}
	if o.rate < 1 {
		return options{}, fmt.Errorf("read --rate: %d is not at least one request per second", o.rate)
	}
	if o.plugin == "" {
		return options{}, fmt.Errorf("read --plugin: it is not set: run `make demo`, or build the program and name it")
	}
	path, err := filepath.Abs(o.plugin)
	if err != nil {
		return options{}, fmt.Errorf("read --plugin: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return options{}, fmt.Errorf("read --plugin: %w", err)
	}
	// kubectl finds a plugin by this name and no other.
	if filepath.Base(path) != pluginName {
		return options{}, fmt.Errorf("read --plugin: kubectl finds %s by its name, and this is %s", pluginName, filepath.Base(path))
	}
	o.plugin = path
	return o, nil
}

// pluginName is what kubectl looks for on PATH.
const pluginName = "kubectl-bluegreen"
