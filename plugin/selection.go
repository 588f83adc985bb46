package plugin

import (
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// Selection are those arguments of a command line that say which release and
// which cluster are meant, such that another command may be given them too:
// svc/NAME and the flags that every command has. args begin with the command's
// name. Of a command line that can't be read there are none.
func Selection(args []string) []string {
	unknown := Environment{LookupEnv: func(string) (string, bool) { return "", false }}
	root := newRoot(&invocation{environment: unknown, kubeconfig: genericclioptions.NewConfigFlags(true)})
	command, rest, err := root.Find(args)
	if err != nil || command == root || command.ParseFlags(rest) != nil {
		return nil
	}
	var selected []string
	for _, argument := range command.Flags().Args() {
		if looksLikeService(argument) {
			selected = append(selected, argument)
		}
	}
	root.PersistentFlags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Changed {
			return
		}
		values := []string{flag.Value.String()}
		if list, several := flag.Value.(pflag.SliceValue); several {
			values = list.GetSlice()
		}
		for _, value := range values {
			selected = append(selected, "--"+flag.Name+"="+value)
		}
	})
	return selected
}
