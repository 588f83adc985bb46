package plugin

import (
	"bytes"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	testingclock "k8s.io/utils/clock/testing"
)

// noon is the time at which the tests stand still.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// bench is an invocation whose streams are buffers and whose clock is at noon.
func bench(t *testing.T, variables map[string]string) (call *invocation, out, errOut *bytes.Buffer, clock *testingclock.FakeClock) {
	t.Helper()
	t.Setenv("TZ", "UTC")
	clock = testingclock.NewFakeClock(noon())
	environment := Environment{
		LookupEnv: func(name string) (string, bool) { value, found := variables[name]; return value, found },
		Clock:     clock,
		Identity:  "ana@laptop/1",
	}
	io, _, out, errOut := genericiooptions.NewTestIOStreams()
	return &invocation{environment: environment, streams: Streams{IOStreams: io}.styled(environment), kubeconfig: genericclioptions.NewConfigFlags(true)}, out, errOut, clock
}

// unicode is an environment whose terminal shows more than ASCII.
func unicode() map[string]string { return map[string]string{"LANG": "C.UTF-8"} }
