package interpose

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// errCertificate is why a login by certificate can't go through.
var errCertificate = errors.New("it logs in with a client certificate, which a proxy can't hand on; use a token")

// upstreamOf is how the API server of a kubeconfig is reached, by nobody: who
// asks is for the requests to say.
func upstreamOf(kubeconfig string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	if len(config.CertData) > 0 || config.CertFile != "" {
		return nil, errCertificate
	}
	return rest.AnonymousClientConfig(config), nil
}

// writeKubeconfig writes a kubeconfig like another one, whose current context
// leads to another address with another certificate. Several in one folder
// have different names.
func writeKubeconfig(kubeconfig, folder, server string, certificate []byte) (string, error) {
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return "", fmt.Errorf("read kubeconfig: %w", err)
	}
	if err := clientcmd.ResolveLocalPaths(config); err != nil {
		return "", fmt.Errorf("read kubeconfig: %w", err)
	}
	current, known := config.Contexts[config.CurrentContext]
	if !known {
		return "", fmt.Errorf("read kubeconfig: it has no context %q", config.CurrentContext)
	}
	config.Clusters[current.Cluster] = &api.Cluster{Server: server, CertificateAuthorityData: certificate}
	text, err := clientcmd.Write(*config)
	if err != nil {
		return "", fmt.Errorf("write kubeconfig: %w", err)
	}
	file, err := os.CreateTemp(folder, "interposed-*.kubeconfig") // readable by its owner alone
	if err != nil {
		return "", fmt.Errorf("write kubeconfig: %w", err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", fmt.Errorf("write kubeconfig: %w", err)
	}
	return filepath.Clean(file.Name()), nil
}
