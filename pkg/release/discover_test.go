package release

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
)

// labelled reads a=1,b=2.
func labelled(t *testing.T, text string) map[string]string {
	t.Helper()
	set, err := labels.ConvertSelectorToLabelsMap(text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func service(t *testing.T, name, selector string) corev1.Service {
	return corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"}, Spec: corev1.ServiceSpec{Selector: labelled(t, selector)}}
}

func deployment(t *testing.T, name, podLabels string) appsv1.Deployment {
	return appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"},
		Spec:       appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labelled(t, podLabels)}}},
	}
}

func statefulSet(t *testing.T, name, podLabels string) appsv1.StatefulSet {
	return appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"},
		Spec:       appsv1.StatefulSetSpec{Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labelled(t, podLabels)}}},
	}
}

// scene is a namespace: names of objects and their selector or pod labels.
type scene struct {
	selector     string
	deployments  map[string]string
	statefulSets map[string]string
	services     map[string]string
}

func (s scene) discover(t *testing.T) (*Discovery, error) {
	t.Helper()
	production := service(t, "svc-production", s.selector)
	services := []corev1.Service{production}
	for name, selector := range sortedPairs(s.services) {
		services = append(services, service(t, name, selector))
	}
	var deployments []appsv1.Deployment
	for name, podLabels := range sortedPairs(s.deployments) {
		deployments = append(deployments, deployment(t, name, podLabels))
	}
	var statefulSets []appsv1.StatefulSet
	for name, podLabels := range sortedPairs(s.statefulSets) {
		statefulSets = append(statefulSets, statefulSet(t, name, podLabels))
	}
	return discover(&production, deployments, statefulSets, services)
}

func TestDiscover(t *testing.T) {
	for name, test := range map[string]struct {
		scene scene
		name  string
		live  string
		want  map[string]Color
	}{
		"two deployments and their services": {
			scene: scene{
				selector:    "app=shop,version=blue",
				deployments: map[string]string{"shop-blue": "app=shop,version=blue,tier=web", "shop-green": "app=shop,version=green", "redis": "app=redis"},
				services:    map[string]string{"svc-blue": "app=shop,version=blue", "svc-green": "version=green", "both": "app=shop", "none": "app=other", "headless": ""},
			},
			name: "shop", live: "blue",
			want: map[string]Color{
				"blue":  {Workloads: []Workload{{"deployment", "shop-blue"}}, Selector: map[string]string{"version": "blue"}, Service: "svc-blue"},
				"green": {Workloads: []Workload{{"deployment", "shop-green"}}, Selector: map[string]string{"version": "green"}, Service: "svc-green"},
			},
		},
		"any label, any kind, no service of its own": {
			scene: scene{
				selector:     "app.kubernetes.io/name=cart,slot=a",
				deployments:  map[string]string{"web": "app.kubernetes.io/name=cart,slot=a"},
				statefulSets: map[string]string{"store": "app.kubernetes.io/name=cart,slot=b"},
			},
			name: "cart", live: "a",
			want: map[string]Color{
				"a": {Workloads: []Workload{{"deployment", "web"}}, Selector: map[string]string{"slot": "a"}},
				"b": {Workloads: []Workload{{"statefulset", "store"}}, Selector: map[string]string{"slot": "b"}},
			},
		},
		"versions as names": {
			scene: scene{
				selector:    "app=shop,version=v2.4.0",
				deployments: map[string]string{"shop-a": "app=shop,version=v2.4.0", "shop-b": "app=shop,version=v2.5.0"},
			},
			name: "shop", live: "v2-4-0",
			want: map[string]Color{
				"v2-4-0": {Workloads: []Workload{{"deployment", "shop-a"}}, Selector: map[string]string{"version": "v2.4.0"}},
				"v2-5-0": {Workloads: []Workload{{"deployment", "shop-b"}}, Selector: map[string]string{"version": "v2.5.0"}},
			},
		},
		"a selector of one label, names that follow it": {
			scene: scene{
				selector:    "app=shop-blue",
				deployments: map[string]string{"shop-blue-1": "app=shop-blue", "shop-green-1": "app=shop-green", "redis": "app=redis"},
			},
			name: "shop", live: "shop-blue",
			want: map[string]Color{
				"shop-blue":  {Workloads: []Workload{{"deployment", "shop-blue-1"}}, Selector: map[string]string{"app": "shop-blue"}},
				"shop-green": {Workloads: []Workload{{"deployment", "shop-green-1"}}, Selector: map[string]string{"app": "shop-green"}},
			},
		},
		"beside another application in colours": {
			scene: scene{
				selector: "app=shop,version=green",
				deployments: map[string]string{"shop-blue": "app=shop,version=blue", "shop-green": "app=shop,version=green",
					"cart-blue": "app=cart,version=blue", "cart-green": "app=cart,version=green", "shop-worker": "app=shop,tier=worker"},
			},
			name: "shop", live: "green",
			want: map[string]Color{
				"blue":  {Workloads: []Workload{{"deployment", "shop-blue"}}, Selector: map[string]string{"version": "blue"}},
				"green": {Workloads: []Workload{{"deployment", "shop-green"}}, Selector: map[string]string{"version": "green"}},
			},
		},
		"a selector of one label, one application": {
			scene: scene{
				selector:    "slot=one",
				deployments: map[string]string{"old": "app=shop,slot=one", "new": "app=shop,slot=two", "cart": "app=cart,slot=two"},
			},
			name: "shop", live: "one",
			want: map[string]Color{
				"one": {Workloads: []Workload{{"deployment", "old"}}, Selector: map[string]string{"slot": "one"}},
				"two": {Workloads: []Workload{{"deployment", "new"}}, Selector: map[string]string{"slot": "two"}},
			},
		},
		"names without anything in common": {
			scene: scene{
				selector:    "app=My.Shop,version=blue",
				deployments: map[string]string{"old": "app=My.Shop,version=blue", "new": "app=My.Shop,version=green"},
			},
			name: "svc-production", live: "blue",
			want: map[string]Color{
				"blue":  {Workloads: []Workload{{"deployment", "old"}}, Selector: map[string]string{"version": "blue"}},
				"green": {Workloads: []Workload{{"deployment", "new"}}, Selector: map[string]string{"version": "green"}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.scene.discover(t)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.Release.Spec.Colors); diff != "" {
				t.Error(diff)
			}
			if metadata := (Metadata{Name: test.name, Namespace: "shop"}); got.Release.Metadata != metadata || got.Live != test.live {
				t.Errorf("%+v, live %s", got.Release.Metadata, got.Live)
			}
			for _, guess := range got.Guesses {
				if guess.Field == "" || guess.Value == "" || guess.Why == "" {
					t.Errorf("a guess says nothing: %+v", guess)
				}
			}
			roundTrip(t, got)
		})
	}
}

// roundTrip writes a discovery and reads it back.
func roundTrip(t *testing.T, discovered *Discovery) {
	t.Helper()
	text, err := Marshal(discovered.Release, discovered.Guesses)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := Parse("bluegreen.yaml", text)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	if diff := cmp.Diff(discovered.Release, loaded.Release); diff != "" {
		t.Errorf("%s from:\n%s", diff, text)
	}
}

func TestDiscoverRefuses(t *testing.T) {
	const prefix = "discover the colours behind service svc-production: "
	pair := map[string]string{"shop-blue": "app=shop,version=blue", "shop-green": "app=shop,version=green"}
	for name, test := range map[string]struct {
		scene scene
		want  string
	}{
		"no selector": {scene{selector: "", deployments: pair}, "it has no selector, so there is nothing to switch"},
		"a selector that matches nothing": {scene{selector: "app=shop,version=red", deployments: map[string]string{"redis": "app=redis"}},
			"its selector, app=shop,version=red, matches the pods of no deployment or statefulset"},
		"the key is missing from the selector": {scene{selector: "app=shop", deployments: pair},
			"its selector, app=shop, matches the pods of deployment/shop-blue, deployment/shop-green alike"},
		"the slot of another application": {scene{selector: "app=shop,version=blue", deployments: map[string]string{
			"shop-blue": "app=shop,version=blue", "cart-blue": "app=cart,version=blue", "cart-green": "app=cart,version=green"}},
			"there is no second colour: no other workload has pods with app=shop,version=blue but for one value"},
		"another part of the application": {scene{selector: "app=shop-web", deployments: map[string]string{"shop-web": "app=shop-web", "shop-worker": "app=shop-worker"}},
			"there is no second colour: no other workload has pods with app=shop-web but for one value"},
		"a stranger with the only label": {scene{selector: "version=blue", deployments: map[string]string{"shop": "app=shop,version=blue", "cart": "app=cart,version=green"}},
			"there is no second colour: no other workload has pods with version=blue but for one value"},
		"nothing beside it": {scene{selector: "app=shop,version=blue", deployments: map[string]string{"shop-blue": "app=shop,version=blue"}},
			"there is no second colour: no other workload has pods with app=shop,version=blue but for one value"},
		"the other lacks the label": {scene{selector: "app=shop,version=blue", deployments: map[string]string{"shop-blue": "app=shop,version=blue", "shop-green": "app=shop"}},
			"there is no second colour: deployment/shop-green lacks label version"},
		"two labels could be meant": {scene{selector: "app=shop,slot=a,version=blue", deployments: map[string]string{
			"shop": "app=shop,slot=a,version=blue", "shop-2": "app=shop,slot=b,version=blue", "shop-3": "app=shop,slot=a,version=green"}},
			"more than one label could tell the colours apart: slot (deployment/shop-2), version (deployment/shop-3)"},
		"three colours": {scene{selector: "app=shop,version=blue", deployments: map[string]string{
			"shop-blue": "app=shop,version=blue", "shop-green": "app=shop,version=green", "shop-red": "app=shop,version=red"}},
			"there are more than two colours by label version: deployment/shop-blue, deployment/shop-green, deployment/shop-red"},
		"two workloads of the live colour": {scene{selector: "app=shop,version=blue", deployments: pair, statefulSets: map[string]string{"cache": "app=shop,version=blue"}},
			"its selector, app=shop,version=blue, matches the pods of deployment/shop-blue, statefulset/cache alike"},
		"another application": {scene{selector: "app=shop", deployments: map[string]string{"shop": "app=shop", "redis": "app=redis"}},
			"there is no second colour: no other workload has pods with app=shop but for one value"},
		"values of one name": {scene{selector: "app=shop,version=A.B", deployments: map[string]string{"a": "app=shop,version=A.B", "b": "app=shop,version=a-b"}},
			`the values "A.B" and "a-b" of label version give no two names for colours`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.scene.discover(t)
			if err == nil {
				t.Fatal("it was discovered")
			}
			if diff := cmp.Diff(prefix+test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
			if HintOf(err) == "" {
				t.Error("no hint")
			}
		})
	}
}

func TestDiscoverRefusesAnExternalName(t *testing.T) {
	external := service(t, "out", "app=shop")
	external.Spec.Type = corev1.ServiceTypeExternalName
	client := fake.NewClientset(&external)
	if _, err := Discover(context.Background(), client, "shop", "out"); err == nil || !strings.Contains(err.Error(), "ExternalName") {
		t.Errorf("got %v", err)
	}
}

// A colour's own Service is told from the production Service that stands beside it.
func TestDiscoverSeesTheServiceOfOneColour(t *testing.T) {
	own, other := service(t, "svc-blue", "app=shop,version=blue"), service(t, "svc-green", "app=shop,version=green")
	blue, green := deployment(t, "shop-blue", "app=shop,version=blue"), deployment(t, "shop-green", "app=shop,version=green")
	found, err := Discover(t.Context(), fake.NewClientset(&own, &other, &blue, &green), "shop", "svc-blue")
	if err != nil || found.Production != "" {
		t.Errorf("the only Service of blue: %+v, %v", found, err)
	}
	production := service(t, "svc-production", "app=shop,version=green")
	for service, want := range map[string]string{"svc-blue": "svc-production", "svc-production": ""} {
		found, err = Discover(t.Context(), fake.NewClientset(&own, &other, &blue, &green, &production), "shop", service)
		if err != nil || found.Production != want {
			t.Errorf("%s: %+v, %v; want %q", service, found, err, want)
		}
	}
}

func TestDiscoverCollects(t *testing.T) {
	production := service(t, "svc-production", "app=shop,version=blue")
	blue, green := deployment(t, "shop-blue", "app=shop,version=blue"), statefulSet(t, "shop-green", "app=shop,version=green")
	elsewhere := deployment(t, "shop-red", "app=shop,version=red")
	elsewhere.Namespace = "other"
	client := fake.NewClientset([]runtime.Object{&production, &blue, &green, &elsewhere}...)
	got, err := Discover(context.Background(), client, "shop", "svc-production")
	if err != nil || got.Live != "blue" || len(got.Release.Spec.Colors) != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = Discover(context.Background(), client, "shop", "svc-prod")
	if !apierrors.IsNotFound(err) || HintOf(err) == "" {
		t.Errorf("a service that isn't there gave %v", err)
	}
}

func TestPagedGoesOnToTheEnd(t *testing.T) {
	var asked []string
	err := paged(func(options metav1.ListOptions) (string, error) {
		asked = append(asked, options.Continue)
		return map[int]string{1: "a", 2: "b"}[len(asked)], nil
	})
	if diff := cmp.Diff([]string{"", "a", "b"}, asked); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if err := paged(func(metav1.ListOptions) (string, error) { return "a", fmt.Errorf("no") }); err == nil {
		t.Error("an error is lost")
	}
}
