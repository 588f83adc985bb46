package plugin

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// invocation is one run of one command: its streams, the flags that every
// command shares, and what the command asked for so far. The commands are
// its methods, so that nothing has to be global.
type invocation struct {
	environment Environment
	streams     Streams
	kubeconfig  *genericclioptions.ConfigFlags
	// file is -f, "" when it was not given.
	file string
	// service is the NAME of svc/NAME, "" when it was not given.
	service string
	// piped is the Release that came from stdin, nil when none did.
	piped *release.Release
	// connected is the client, once a command asked for it.
	connected *cluster.Client
}

func (i *invocation) addGlobalFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	i.kubeconfig.AddFlags(flags)
	flags.StringVarP(&i.file, "file", "f", "", "the Release document; without it ./"+defaultFile+", then the copy that the last run left in the cluster, then what is discovered from svc/NAME")
}

// client connects on its first call. It sends nothing yet: whether anybody
// answers shows with the first request.
func (i *invocation) client() (*cluster.Client, error) {
	if i.connected != nil {
		return i.connected, nil
	}
	client, err := cluster.Connect(i.kubeconfig)
	if err != nil {
		return nil, cluster.Explain(err)
	}
	if i.nobodyNamed(client) {
		return nil, cluster.Explain(clientcmd.ErrEmptyConfig)
	}
	i.connected = client
	return client, nil
}

// fallbackHost is where client-go looks for a cluster that nobody named.
const fallbackHost = "http://localhost:8080"

// nobodyNamed reports whether the address of the cluster is client-go's guess.
func (i *invocation) nobodyNamed(client *cluster.Client) bool {
	raw, err := i.kubeconfig.ToRawKubeConfigLoader().RawConfig()
	named := i.kubeconfig.APIServer != nil && *i.kubeconfig.APIServer != ""
	return err == nil && len(raw.Clusters) == 0 && !named && client.Config.Host == fallbackHost
}

// namespace is the namespace of -n or of the kubeconfig's context, and
// whether it was asked for by -n. Only the kubeconfig is read for it.
func (i *invocation) namespace() (name string, explicit bool, err error) {
	name, _, err = i.kubeconfig.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", false, fmt.Errorf("read kubeconfig: %w", err)
	}
	return name, i.kubeconfig.Namespace != nil && *i.kubeconfig.Namespace != "", nil
}

// note writes a line beside the result, on stderr.
func (i *invocation) note(format string, arguments ...any) {
	fmt.Fprintf(i.streams.ErrOut, format+"\n", arguments...)
}

// serviceArgument reads svc/NAME; kind may be any spelling that kubectl takes.
func serviceArgument(text string) (string, error) {
	kind, service, found := strings.Cut(text, "/")
	known := kind == "svc" || kind == "service" || kind == "services"
	if !found || !known || service == "" || strings.Contains(service, "/") {
		return "", release.WithHint(fmt.Errorf("read argument %q: expected the production Service as svc/NAME", text), "kubectl get services lists the names")
	}
	return service, nil
}

// leadingService takes svc/NAME off two arguments of which it is the optional
// first, and returns what is left.
func leadingService(args []string) (service string, rest []string, err error) {
	if len(args) == 0 || len(args) == 1 && !looksLikeService(args[0]) {
		return "", args, nil
	}
	service, err = serviceArgument(args[0])
	return service, args[1:], err
}

// looksLikeService tells svc/NAME from an argument of another meaning.
func looksLikeService(text string) bool {
	_, err := serviceArgument(text)
	return err == nil
}
