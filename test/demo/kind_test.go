package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestDetect(t *testing.T) {
	for name, tt := range map[string]struct {
		context, server string
		nodes           []corev1.Node
		want            detected
		load            []string
	}{
		"kind": {
			"kind-shop", "https://127.0.0.1:36551", node("shop-control-plane", "kind://docker/shop/shop-control-plane", nil),
			detected{kindKind, "shop", "arm64", true}, []string{"kind", "load", "image-archive", "a.tar", "--name", "shop"},
		},
		"kind by another name": {
			"staging", "https://[::1]:36551", node("x", "kind://podman/kind/x", nil),
			detected{kindKind, "kind", "arm64", true}, []string{"kind", "load", "image-archive", "a.tar", "--name", "kind"},
		},
		"minikube": {
			"minikube", "https://192.168.49.2:8443", node("minikube", "", map[string]string{minikubeLabel: "minikube"}),
			detected{kindMinikube, "minikube", "arm64", true}, []string{"minikube", "image", "load", "a.tar", "--profile", "minikube"},
		},
		"k3d": {
			"k3d-shop", "https://0.0.0.0:6550", node("k3d-shop-server-0", "k3s://k3d-shop-server-0", nil),
			detected{kindK3d, "shop", "arm64", true}, []string{"k3d", "image", "import", "a.tar", "--cluster", "shop"},
		},
		"Docker Desktop": {
			"docker-desktop", "https://kubernetes.docker.internal:6443", node("docker-desktop", "", nil),
			detected{kindDockerDesktop, "", "arm64", true}, []string{"docker", "--context", "desktop-linux", "load", "--input", "a.tar"},
		},
		"kind on another machine": {
			"kind-shop", "https://ci.example.com:6443", node("x", "kind://docker/shop/x", nil),
			detected{kindKind, "shop", "arm64", false}, []string{"kind", "load", "image-archive", "a.tar", "--name", "shop"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := detect(tt.context, tt.server, tt.nodes)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("detect = %+v, want %+v", got, tt.want)
			}
			if diff := cmp.Diff(tt.load, loadCommand(got, "a.tar")); diff != "" {
				t.Errorf("load command (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDetectRefusesWhatItDoesNotKnow(t *testing.T) {
	_, err := detect("prod", "https://10.0.0.1", node("ip-10-0-0-7", "aws:///eu-west-1a/i-0abc", nil))
	if !errors.Is(err, errUnknownKind) {
		t.Errorf("a cluster of a cloud: %v", err)
	}
	if _, err := detect("kind-shop", "https://127.0.0.1", nil); err == nil {
		t.Error("a cluster without nodes was taken")
	}
	if _, err := detect("kind-shop", "https://127.0.0.1", node("x", "kind://docker", nil)); err == nil {
		t.Error("half a provider was taken")
	}
}

// A private address is this machine's only where minikube has made it.
func TestNear(t *testing.T) {
	for _, tt := range []struct {
		server string
		kind   clusterKind
		want   bool
	}{
		{"https://127.0.0.1:6443", kindKind, true},
		{"https://[::1]:6443", kindK3d, true},
		{"https://localhost:6443", kindMinikube, true},
		{"https://kubernetes.docker.internal:6443", kindDockerDesktop, true},
		{"https://0.0.0.0:6550", kindK3d, true},
		{"https://192.168.49.2:8443", kindMinikube, true},
		{"https://192.168.1.20:6443", kindKind, false},
		{"https://10.0.0.5:6443", kindK3d, false},
		{"https://172.16.0.5:6443", kindDockerDesktop, false},
		{"https://203.0.113.7:8443", kindMinikube, false},
		{"https://ci.example.com:6443", kindMinikube, false},
		{"://", kindKind, false},
	} {
		if got := near(tt.server, tt.kind); got != tt.want {
			t.Errorf("near(%s) of %s = %t, want %t", tt.server, tt.kind, got, tt.want)
		}
	}
}

func TestConsent(t *testing.T) {
	far := detected{kind: kindKind, name: "shop"}
	if err := far.consent("kind-shop", "https://ci.example.com", false); err == nil || !strings.Contains(err.Error(), "--yes") {
		t.Errorf("a cluster elsewhere was used unasked: %v", err)
	}
	if err := far.consent("kind-shop", "https://ci.example.com", true); err != nil {
		t.Errorf("consent was not taken: %v", err)
	}
	far.local = true
	if err := far.consent("kind-shop", "https://127.0.0.1", false); err != nil {
		t.Errorf("a cluster of this machine was refused: %v", err)
	}
}
