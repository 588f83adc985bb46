package lab

import (
	"context"
	"fmt"
	"net"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// Gateway is Traefik, which serves the Gateway API, its own kinds and Ingress.
// The Gateway "public" in its namespace takes routes of every namespace. No
// lab has it that doesn't ask for it, since its first build takes minutes.
const Gateway Addon = "gateway"

// traefikVersion is the one in programs/traefik/go.mod.
const traefikVersion = "v3.6.7"

// gateway is what it is made of.
func gateway() parts {
	return parts{
		addon: Gateway,
		sets: []programs.Set{{
			Folder:   "traefik",
			Flags:    "-s -w -X github.com/traefik/traefik/v3/pkg/version.Version=" + traefikVersion,
			Programs: []programs.Program{{Name: "traefik", Package: "github.com/traefik/traefik/v3/cmd/traefik", Takes: "about 6 minutes"}},
			Files: []programs.Files{
				{Module: "sigs.k8s.io/gateway-api", Pattern: "config/crd/standard/*.yaml"},
				{Module: "github.com/traefik/traefik/v3", Pattern: "docs/content/reference/dynamic-configuration/traefik.io_*.yaml"},
			},
		}},
		images:      map[string]imageBuilder{"docker.io/library/traefik:" + traefikVersion: fromSource("traefik")},
		definitions: "traefik",
		manifests:   []string{manifests.Gateway},
	}
}

// GatewayAddress is where the Gateway "public" takes HTTP, an IP address and a
// port. It answers inside the lab, so also through [Lab.DialContext]; to pods
// it is traefik.gateway too. It needs the addon [Gateway].
func (l *Lab) GatewayAddress(ctx context.Context) (string, error) {
	client, err := kubernetes.NewForConfig(l.config)
	if err != nil {
		return "", fmt.Errorf("connect to lab %s: %w", l.Name(), err)
	}
	service, err := client.CoreV1().Services(string(Gateway)).Get(ctx, "traefik", metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("find the gateway of lab %s: %w", l.Name(), err)
	}
	return net.JoinHostPort(service.Spec.ClusterIP, "80"), nil
}
