package traffic

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// describeService is the Description of spec.traffic.service.
func describeService(rel *release.Release) (Description, error) {
	colors := selectorsOf(rel)
	if err := colors.validate(); err != nil {
		return Description{}, err
	}
	name := rel.Spec.Traffic.Service.Name
	var fields []Field
	for _, key := range colors.keys() {
		fields = append(fields, Field{Path: []string{"spec", "selector", key}})
	}
	return Description{
		Object:   "service/" + name,
		Kind:     "Service",
		Fields:   fields,
		Resource: corev1.SchemeGroupVersion.WithResource("services"),
		Name:     name,
		Split:    func(variable string) string { return colors.expression(variable + ".spec.selector") },
	}, nil
}

// expression says in CEL what selected says in Go: the colour whose labels a
// selector has, and none of another's.
func (c colorSelectors) expression(selector string) string {
	text := strings.Builder{}
	fmt.Fprintf(&text, "!has(%s) ? \"\"", selector)
	for _, name := range c.names() {
		var conditions []string
		for _, key := range c.keys() {
			quoted := strconv.Quote(key)
			if value, own := c[name][key]; own {
				conditions = append(conditions, fmt.Sprintf("%s in %s && %s[%s] == %s", quoted, selector, selector, quoted, strconv.Quote(value)))
				continue
			}
			conditions = append(conditions, fmt.Sprintf("!(%s in %s)", quoted, selector))
		}
		fmt.Fprintf(&text, "\n: %s ? %s", strings.Join(conditions, " && "), strconv.Quote(Whole(name).String()))
	}
	text.WriteString("\n: \"\"")
	return text.String()
}
