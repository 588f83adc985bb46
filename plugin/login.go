package plugin

import "k8s.io/client-go/rest"

// login has a kubeconfig find the program that it logs in with, where that is one of
// Environment.Programs.
func (e Environment) login(config *rest.Config) *rest.Config {
	if exec := config.ExecProvider; exec != nil {
		if file, ours := e.Programs[exec.Command]; ours {
			config.ExecProvider = exec.DeepCopy() // the other is the kubeconfig's
			config.ExecProvider.Command = file
		}
	}
	return config
}
