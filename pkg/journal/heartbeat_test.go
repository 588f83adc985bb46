package journal

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
)

// TestSilent: whether somebody drives a run is told by whether the lease stirs while
// this process looks on, and by nothing that the holder's clock says of it.
func TestSilent(t *testing.T) {
	for name, test := range map[string]struct {
		holder string
		// age of the lease at first, as the two clocks have it.
		age time.Duration
		// stirs is how often its holder renews it; 0 for one that is gone.
		stirs time.Duration
		want  bool
		// watched is how long that takes.
		watched time.Duration
	}{
		"renewed just now":              {"ana@laptop/1", 0, 5 * time.Second, false, 0},
		"gone a moment ago":             {"ana@laptop/1", 14 * time.Second, 0, false, 0},
		"given up":                      {"", 0, 0, true, 0},
		"long gone":                     {"ana@laptop/1", time.Hour, 0, true, 15 * time.Second},
		"gone, by a clock ahead":        {"ana@laptop/1", -time.Hour, 0, true, 15 * time.Second},
		"alive, by a clock behind":      {"ana@laptop/1", time.Hour, 5 * time.Second, false, 5 * time.Second},
		"alive, by a clock ahead":       {"ana@laptop/1", -time.Hour, 5 * time.Second, false, 5 * time.Second},
		"alive, and renewed at the end": {"ana@laptop/1", time.Hour, 14 * time.Second, false, 14 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, server := time.Now(), fake.NewClientset()
				server.PrependReactor("get", "leases", func(kubetesting.Action) (bool, runtime.Object, error) {
					renewed := began
					if test.stirs > 0 {
						renewed = began.Add(time.Since(began).Truncate(test.stirs))
					}
					lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "bluegreen-shop", Namespace: "shop-ns"}}
					lease.Spec.LeaseDurationSeconds = ptr.To[int32](15)
					lease.Spec.HolderIdentity, lease.Spec.RenewTime = ptr.To(test.holder), ptr.To(metav1.NewMicroTime(renewed.Add(-test.age)))
					return true, lease, nil
				})
				doubted := 0
				got, err := New(server, "shop-ns", "shop", clock.RealClock{}).Silent(t.Context(), func(Heartbeat) { doubted++ })
				if err != nil || got != test.want || time.Since(began) != test.watched {
					t.Errorf("Silent = %v, %v after %s, want %v after %s", got, err, time.Since(began), test.want, test.watched)
				}
				if told := doubted == 1; told != (test.watched > 0) || doubted > 1 {
					t.Errorf("the doubt was told %d times", doubted)
				}
			})
		})
	}
}

// A lease that can't be read any more says nothing of its holder.
func TestSilentIsNotSaidOfWhatCanNotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, looks := fake.NewClientset(), 0
		server.PrependReactor("get", "leases", func(kubetesting.Action) (bool, runtime.Object, error) {
			if looks++; looks > 3 {
				return true, nil, errors.New("away")
			}
			return true, &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: ptr.To("ana@laptop/1")}}, nil
		})
		if silent, err := New(server, "shop-ns", "shop", clock.RealClock{}).Silent(t.Context(), nil); silent || err == nil {
			t.Errorf("Silent = %v, %v", silent, err)
		}
	})
}

func TestPulse(t *testing.T) {
	now := start
	heart := Pulse{Clock: func() time.Time { return now }}
	beat := Heartbeat{Holder: "ana@laptop/1", Renewed: start, Duration: 15 * time.Second}
	for _, test := range []struct {
		after   time.Duration
		renewed bool
		want    bool
	}{{0, false, false}, {10 * time.Second, false, false}, {4 * time.Second, true, false}, {14 * time.Second, false, false}, {time.Second, false, true}} {
		now = now.Add(test.after)
		if test.renewed {
			beat.Renewed = now
		}
		if got := heart.Stopped(beat); got != test.want {
			t.Errorf("%s after the start: stopped = %v, want %v", now.Sub(start), got, test.want)
		}
	}
}
