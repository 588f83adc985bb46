package release

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMetadataOf(t *testing.T) {
	const head = "apiVersion: bluegreen.dev/v1alpha1\nkind: Release\nmetadata: {name: shop, namespace: store}\n"
	shop := Metadata{Name: "shop", Namespace: "store"}
	for name, test := range map[string]struct {
		text string
		want Metadata
	}{
		"no mistake":          {read(t, "full.yaml"), Metadata{Name: "recommendation", Namespace: "shop"}},
		"an unknown field":    {head + "spec: {trafic: {}}\n", shop},
		"a tab":               {head + "spec:\n\tcolors: {}\n", shop},
		"a bracket":           {head + "spec: {colors: {\n", shop},
		"a merge conflict":    {head + "spec:\n<<<<<<< HEAD\n  colors: {}\n=======\n", shop},
		"many mistakes":       {head + "spec: [\n- {\n\t- :\n  }: [\n", shop},
		"no namespace":        {"kind: Release\nmetadata: {name: shop}\nspec: [\n", Metadata{Name: "shop"}},
		"no name":             {"metadata: {name: Shop/1, namespace: 3}\n", Metadata{}},
		"a mistake above it":  {"\tkind: Release\n" + head, Metadata{}},
		"of another kind":     {"apiVersion: v1\nkind: Service\nmetadata: {name: shop}\n", Metadata{}},
		"no mapping":          {"- name: shop\n", Metadata{}},
		"nothing":             {"", Metadata{}},
		"aliases that unfold": {"a: &a [x,x]\nmetadata: &m {name: *m}\n", Metadata{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, MetadataOf([]byte(test.text))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
