package planted

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/faultproxy"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// inMonitoring are faults of what tells how a release goes.
func inMonitoring() []Fault {
	return []Fault{
		{ID: "BG-MON-01", Name: "the incident: nothing in Prometheus tells green's version", Outcome: preflight.Fail, Says: "prometheus has no series",
			Also: []string{"BG-MON-03"}, Plant: unscraped},
		{ID: "BG-MON-02", Name: "a Prometheus that takes no connection", Outcome: preflight.Unknown, Says: "connection refused",
			Also: []string{"BG-MON-01", "BG-MON-03", "BG-MON-04", "BG-MON-06"}, Plant: refusing},
		{ID: "BG-MON-03", Name: "a threshold above every bucket", Outcome: preflight.Fail, Says: "no finite bound is above 3600 s (advance-latency-p95)",
			Plant: overridden("advance-latency-p95", func(rule *release.RuleOverride) { rule.Threshold = ptr.To(3600.0) })},
		{ID: "BG-MON-04", Name: "an alert that comes too late", Outcome: preflight.Fail, Says: "fires only above 80 %",
			Plant: ruled(">= 0.8", ">= 0.99")},
		{ID: "BG-MON-05", Name: "a critical alert that fires", Outcome: preflight.Fail, Says: "PlantedOutage",
			Plant: alerted},
		{ID: "BG-MON-06", Name: "a rule that asks for more requests than there are", Outcome: preflight.Warn, Says: "so it would have no data",
			Plant: overridden("advance-error-ratio", func(rule *release.RuleOverride) { rule.MinimumSamples = ptr.To(1e6) })},
	}
}

// overridden changes one rule of the gate.
func overridden(id string, change func(*release.RuleOverride)) Plant {
	return declared(func(document *release.Release) {
		for at := range document.Spec.Gates.Rules {
			if rule := &document.Spec.Gates.Rules[at]; rule.ID == id {
				change(rule)
			}
		}
	})
}

// unscraped takes from green's pods what Prometheus finds them by.
func unscraped(ctx context.Context, site *Site) (Undo, error) {
	annotate := func(ctx context.Context, annotation string) error {
		return site.Kubectl(ctx, "annotate", "--overwrite", "pods", "-l", "version="+shop.Green, annotation)
	}
	undo := func(ctx context.Context) error { return annotate(ctx, "prometheus.io/scrape=true") }
	return undo, annotate(ctx, "prometheus.io/scrape-")
}

// refusing lets the way to Prometheus refuse connections.
func refusing(ctx context.Context, site *Site) (Undo, error) {
	undo := func(ctx context.Context) error { return site.Lab.SetPrometheusFault(ctx, faultproxy.Pass) }
	return undo, site.Lab.SetPrometheusFault(ctx, faultproxy.Refuse)
}

// monitoring is where the lab has Prometheus and Alertmanager.
const monitoring = "monitoring"

// ruled replaces a part of Prometheus's rules.
func ruled(old, replacement string) Plant {
	return func(ctx context.Context, site *Site) (Undo, error) {
		undo := func(ctx context.Context) error { return site.rewriteRules(ctx, replacement, old) }
		return undo, site.rewriteRules(ctx, old, replacement)
	}
}

// rewriteRules returns once Prometheus goes by the new text.
func (s *Site) rewriteRules(ctx context.Context, old, replacement string) error {
	core := s.Client().Kubernetes.CoreV1()
	configuration, err := core.ConfigMaps(monitoring).Get(ctx, "prometheus", metav1.GetOptions{})
	if err != nil {
		return err
	}
	rules := configuration.Data["alerts.yml"]
	if !strings.Contains(rules, old) {
		return fmt.Errorf("rewrite the rules of Prometheus: nothing there reads %q", old)
	}
	configuration.Data["alerts.yml"] = strings.ReplaceAll(rules, old, replacement)
	if _, err := core.ConfigMaps(monitoring).Update(ctx, configuration, metav1.UpdateOptions{}); err != nil {
		return err
	}
	pods, err := core.Pods(monitoring).List(ctx, metav1.ListOptions{LabelSelector: "app=prometheus"})
	if err != nil {
		return err
	}
	for _, pod := range pods.Items { // whose files the kubelet then writes at once
		news := fmt.Appendf(nil, `{"metadata":{"annotations":{"planted":%q}}}`, time.Now().Format(time.RFC3339Nano))
		if _, err := core.Pods(monitoring).Patch(ctx, pod.Name, types.MergePatchType, news, metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	// The sign itself may come as an escape, and a number alone stands in times too.
	return s.awaitRules(ctx, strings.TrimPrefix(replacement, ">"), strings.TrimPrefix(old, ">"))
}

// awaitRules reloads Prometheus until its rules hold a text, and no longer another.
func (s *Site) awaitRules(ctx context.Context, text, gone string) error {
	services := s.Client().Kubernetes.CoreV1()
	err := wait.PollUntilContextTimeout(ctx, time.Second, 3*time.Minute, true, func(ctx context.Context) (bool, error) {
		reload := services.RESTClient().Post().Namespace(monitoring).Resource("services").Name("prometheus:http").SubResource("proxy").Suffix("-/reload")
		reloaded := reload.Do(ctx).Error() == nil // a file that is half written is refused, and read again
		rules, err := services.Services(monitoring).ProxyGet("", "prometheus", "http", "api/v1/rules", nil).DoRaw(ctx)
		return reloaded && err == nil && bytes.Contains(rules, []byte(text+`"`)) && !bytes.Contains(rules, []byte(gone+`"`)), nil
	})
	if err != nil {
		return errors.Join(errors.New("wait for the rules of Prometheus"), err)
	}
	return nil
}

// alerted raises a critical alert in Alertmanager, and resolves it.
func alerted(ctx context.Context, site *Site) (Undo, error) {
	raise := func(ctx context.Context, lasting time.Duration) error {
		alert := fmt.Appendf(nil, `[{"labels":{"alertname":"PlantedOutage","severity":"critical","namespace":%q},"startsAt":%q,"endsAt":%q}]`,
			site.Namespace, time.Now().Add(-time.Hour).Format(time.RFC3339), time.Now().Add(lasting).Format(time.RFC3339))
		return site.Client().Kubernetes.CoreV1().RESTClient().Post().Namespace(monitoring).Resource("services").Name("alertmanager:http").
			SubResource("proxy").Suffix("api/v2/alerts").SetHeader("Content-Type", "application/json").Body(alert).Do(ctx).Error()
	}
	undo := func(ctx context.Context) error { return raise(ctx, -time.Second) }
	return undo, raise(ctx, 10*time.Minute)
}
