package shop

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// writeRelease writes bluegreen.yaml into the shop's folder.
func (s *Shop) writeRelease() error {
	text, err := os.ReadFile(filepath.Join(s.place.Source, "examples", "recommendation", "bluegreen.yaml"))
	if err != nil {
		return fmt.Errorf("read Release: %w", err)
	}
	document := &release.Release{}
	if err := yaml.UnmarshalStrict(text, document); err != nil {
		return fmt.Errorf("read Release: %w", err)
	}
	document.Metadata.Namespace = s.Namespace
	QuickRelease(document)
	for i := range document.Spec.Databases {
		document.Spec.Databases[i].Connections = 0 // what a test makes too large is told by the database alone
	}
	s.kind.declare(document)
	if s.options.GreenByHand {
		for name, color := range document.Spec.Colors {
			color.Manifests = nil
			document.Spec.Colors[name] = color
		}
	}
	if s.options.Release != nil {
		s.options.Release(document)
	}
	if text, err = yaml.Marshal(document); err != nil {
		return fmt.Errorf("write Release: %w", err)
	}
	if err := os.WriteFile(filepath.Join(s.Folder, "bluegreen.yaml"), text, 0o644); err != nil {
		return fmt.Errorf("write Release: %w", err)
	}
	return nil
}

// QuickRelease gives a Release times short enough to sit through, and
// thresholds that a busy machine with two cores keeps when it is healthy: a
// run takes about half a minute where a real one takes ten. The rules stay
// those of the profile. Signals are read from the pods themselves, so that
// nothing but the service and its database is needed.
func QuickRelease(document *release.Release) {
	spec := &document.Spec
	spec.Metrics.Prometheus = nil
	spec.Traffic.Steps = []release.Step{{Weight: 100, Hold: release.Duration(10 * time.Second)}}
	spec.Traffic.Watch = release.Duration(15 * time.Second)
	spec.Gates.Interval = release.Duration(time.Second)
	spec.Gates.SourceDown.Deadline = release.Duration(time.Minute)
	spec.Gates.Rules = []release.RuleOverride{
		{ID: "advance-error-ratio", Window: lasting(10 * time.Second), MinimumSamples: ptr.To(50.0)},
		{ID: "advance-latency-p95", Window: lasting(10 * time.Second), MinimumSamples: ptr.To(50.0), Threshold: ptr.To(1.0)},
		// How fast the machine is, and how much it has to do, is not what
		// the tests are about.
		{ID: "advance-error-ratio-baseline", Window: lasting(10 * time.Second), MinimumSamples: ptr.To(50.0)},
		{ID: "advance-latency-p95-baseline", Disabled: true},
		{ID: "advance-latency-p95-relative", Disabled: true},
		{ID: "advance-request-parity", Window: lasting(10 * time.Second), Threshold: ptr.To(0.2)},
		{ID: "rollback-error-ratio", Window: lasting(10 * time.Second), MinimumSamples: ptr.To(50.0), For: lasting(4 * time.Second)},
		{ID: "rollback-latency-p95", Window: lasting(10 * time.Second), MinimumSamples: ptr.To(20.0), For: lasting(4 * time.Second), Threshold: ptr.To(1.2)},
		{ID: "rollback-pool-saturation", For: lasting(10 * time.Second)},
		{ID: "rollback-blocked-sessions", For: lasting(4 * time.Second)},
		{ID: "rollback-ready-ratio", For: lasting(4 * time.Second)},
	}
}

// lasting is an optional duration.
func lasting(duration time.Duration) *release.Duration { return ptr.To(release.Duration(duration)) }
