package clustertest

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// Patched is an object after a JSON patch, both as JSON.
func Patched(t testing.TB, object, patch []byte) []byte {
	t.Helper()
	after, err := applyPatch(types.JSONPatchType, object, patch)
	if err != nil {
		t.Fatalf("apply %s: %v", patch, err)
	}
	return after
}
