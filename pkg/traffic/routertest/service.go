package routertest

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// productionName is the name of the Service that is switched.
const productionName = "svc-production"

// ServiceRelease declares a production Service.
func ServiceRelease() *release.Release {
	return Release(func(traffic *release.Traffic) { traffic.Service = &release.ServiceRoute{Name: productionName} })
}

// Production is that Service, which gives everything to blue.
func Production() *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: productionName, Namespace: Namespace},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "shop", "version": "blue"},
			Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	}
}

// ServiceFixture is that Service as the suite takes it.
func ServiceFixture(router traffic.Router, services typedcorev1.ServiceInterface, forbid func(t *testing.T)) Fixture {
	get := func(t *testing.T) *corev1.Service { return production(t, services) }
	edit := func(t *testing.T, change func(*corev1.Service)) { EditService(t, services, change) }
	return Fixture{
		Router: router, Live: "blue", Idle: "green",
		Edit: func(t *testing.T) {
			edit(t, func(service *corev1.Service) {
				service.Spec.Selector["tier"] = "web"
				metav1.SetMetaDataAnnotation(&service.ObjectMeta, "team", "a")
			})
		},
		CheckEdit: func(t *testing.T) {
			service := get(t)
			if service.Spec.Selector["tier"] != "web" || service.Spec.Selector["app"] != "shop" || service.Annotations["team"] != "a" || service.Spec.Ports[0].Port != 80 {
				t.Errorf("selector %v, annotations %v", service.Spec.Selector, service.Annotations)
			}
		},
		Stamp: stamp(router),
		Break: func(t *testing.T) {
			edit(t, func(service *corev1.Service) { delete(service.Spec.Selector, "version") })
		},
		Delete: func(t *testing.T) {
			if err := services.Delete(context.Background(), productionName, metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		},
		Forbid: forbid,
	}
}

// EditService changes that Service as another person would.
func EditService(t *testing.T, services typedcorev1.ServiceInterface, change func(*corev1.Service)) {
	t.Helper()
	service := production(t, services)
	change(service)
	if _, err := services.Update(context.Background(), service, metav1.UpdateOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
}

func production(t *testing.T, services typedcorev1.ServiceInterface) *corev1.Service {
	t.Helper()
	service, err := services.Get(context.Background(), productionName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return service
}
