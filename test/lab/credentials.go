package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/network"
)

// account is someone whom the API server knows by a token.
type account struct {
	// file is the name of the kubeconfig, user and group what RBAC knows.
	file, user, group string
}

// accounts are the administrator and the cluster's own programs. Each program
// has the rights that Kubernetes' own roles give it, but for the controller
// manager, whose many controllers would otherwise each need an account.
func accounts() []account {
	return []account{
		{"kubeconfig", "admin", "system:masters"},
		{"kube-controller-manager.kubeconfig", "system:kube-controller-manager", "system:masters"},
		{"kube-scheduler.kubeconfig", "system:kube-scheduler", ""},
		{"kubelet.kubeconfig", "system:node:" + nodeName, "system:nodes"},
		{"kube-proxy.kubeconfig", "system:kube-proxy", ""},
		{"coredns.kubeconfig", "system:coredns", ""},
	}
}

// writeCredentials makes the server's certificate, the key that signs service
// account tokens, and a kubeconfig for every account.
func (l layout) writeCredentials() error {
	certificate, key, err := cert.GenerateSelfSignedCertKey(network.Node,
		[]net.IP{net.ParseIP(network.Node), net.ParseIP("10.96.0.1"), net.IPv4(127, 0, 0, 1)},
		[]string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"})
	if err != nil {
		return fmt.Errorf("make server certificate: %w", err)
	}
	signing, err := signingKey()
	if err != nil {
		return err
	}
	var tokens strings.Builder
	for _, account := range accounts() {
		token := rand.Text()
		fmt.Fprintf(&tokens, "%s,%s,%s,%q\n", token, account.user, account.user, account.group)
		if err := writeKubeconfig(l.file(account.file), certificate, token); err != nil {
			return err
		}
	}
	return errors.Join(
		os.WriteFile(l.file("server.crt"), certificate, 0o644),
		os.WriteFile(l.file("server.key"), key, 0o600),
		os.WriteFile(l.file("serviceaccount.key"), signing, 0o600),
		os.WriteFile(l.file("tokens.csv"), []byte(tokens.String()), 0o600),
	)
}

// signingKey makes a private key in PEM.
func signingKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	encoded, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded}), nil
}

// writeKubeconfig writes a kubeconfig that logs in with a token.
func writeKubeconfig(path string, certificate []byte, token string) error {
	config := api.NewConfig()
	config.Clusters["lab"] = &api.Cluster{Server: server, CertificateAuthorityData: certificate}
	config.AuthInfos["lab"] = &api.AuthInfo{Token: token}
	config.Contexts["lab"] = &api.Context{Cluster: "lab", AuthInfo: "lab", Namespace: "default"}
	config.CurrentContext = "lab"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}
