package alerts

import (
	"fmt"
	"strings"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// ruleFile is what Prometheus reads with rule_files.
type ruleFile struct {
	Groups []ruleGroup `yaml:"groups"`
}

type ruleGroup struct {
	Name  string      `yaml:"name"`
	Rules []yaml.Node `yaml:"rules"`
}

// writtenRule is a rule as both formats have it.
type writtenRule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// prometheusRule is the object of the Prometheus Operator.
type prometheusRule struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       ruleFile `yaml:"spec"`
}

type metadata struct {
	Name      string            `yaml:"name"`
	Namespace string            `yaml:"namespace,omitempty"`
	Labels    map[string]string `yaml:"labels,omitempty"`
}

// File is the rules as a file for rule_files of a Prometheus, to be written as
// YAML.
func File(group string, rules []Rule) (any, error) { return fileOf(group, rules) }

// Object is the rules as a PrometheusRule of the Prometheus Operator
// (monitoring.coreos.com/v1), likewise.
func Object(name, namespace string, labels map[string]string, rules []Rule) (any, error) {
	file, err := fileOf(name, rules)
	return prometheusRule{APIVersion: "monitoring.coreos.com/v1", Kind: "PrometheusRule",
		Metadata: metadata{Name: name, Namespace: namespace, Labels: labels}, Spec: file}, err
}

// fileOf has a comment above each rule: where its number comes from.
func fileOf(group string, rules []Rule) (ruleFile, error) {
	one := ruleGroup{Name: group}
	for _, rule := range rules {
		entry := writtenRule{Alert: rule.Name, Expr: rule.Expression, Labels: rule.Labels, Annotations: rule.Annotations}
		if rule.For > 0 {
			entry.For = model.Duration(rule.For).String()
		}
		var node yaml.Node
		if err := node.Encode(entry); err != nil {
			return ruleFile{}, fmt.Errorf("write rule %s: %w", rule.Name, err)
		}
		node.HeadComment = strings.TrimSpace(rule.Source)
		one.Rules = append(one.Rules, node)
	}
	return ruleFile{Groups: []ruleGroup{one}}, nil
}
