package release

import (
	"regexp"
	"slices"
	"strings"
)

// identityLabels say which application, or which part of one, a pod is of.
// Two values of such a label are two applications, not two colours, unless
// the values themselves name slots of one application.
var identityLabels = []string{
	"app.kubernetes.io/instance", "app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/part-of",
	"app", "k8s-app", "name", "component", "tier", "role",
}

// slotWord matches what slots are commonly called.
var slotWord = regexp.MustCompile(`^(blue|green|red|black|white|a|b|one|two|v?[0-9]+)$`)

// akin reports whether two workloads, whose pods differ in one label of a
// selector, can be two colours of one application rather than neighbours in a
// namespace. alone says that the selector has no other label: then every
// workload with that label differs from it in that label only, and something
// else must tie the two together.
func akin(key string, one, other side, alone bool) bool {
	value, otherValue := one.labels[key], other.labels[key]
	if slices.Contains(identityLabels, key) {
		return slotsOfOne(value, otherValue)
	}
	if !alone {
		return true
	}
	for _, identity := range []string{"app.kubernetes.io/instance", "app.kubernetes.io/name", "app", "k8s-app"} {
		if shared := one.labels[identity]; shared != "" && shared == other.labels[identity] {
			return true
		}
	}
	name := one.workload.Name
	return name != value && strings.Contains(name, value) && strings.Replace(name, value, otherValue, 1) == other.workload.Name
}

// slotsOfOne reports whether two values are the same but for one word, and
// that word names a slot in both: shop-blue and shop-green.
func slotsOfOne(value, other string) bool {
	words, others := splitWords(value), splitWords(other)
	if len(words) != len(others) || len(words) < 2 {
		return false
	}
	differing := 0
	for i, word := range words {
		if word == others[i] {
			continue
		}
		differing++
		if !slotWord.MatchString(word) || !slotWord.MatchString(others[i]) {
			return false
		}
	}
	return differing == 1
}

func splitWords(value string) []string {
	return strings.FieldsFunc(strings.ToLower(value), func(r rune) bool { return r == '-' || r == '_' || r == '.' })
}
