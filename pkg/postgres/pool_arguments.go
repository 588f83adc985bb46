package postgres

import (
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// running are the containers that hold connections while a pod runs: its own
// and its sidecars. An init container, a migrator for instance, has ended before
// they begin, and one of them never asks for more than they do.
func running(spec corev1.PodSpec) []corev1.Container {
	var containers []corev1.Container
	for _, container := range spec.InitContainers {
		if ptr.Deref(container.RestartPolicy, "") == corev1.ContainerRestartPolicyAlways {
			containers = append(containers, container)
		}
	}
	return append(containers, spec.Containers...)
}

// words are those of the containers' commands and arguments, and of the
// variables by which a runtime takes more of them. A command line in one text,
// as a shell gets it, is taken apart.
func (e environment) words() []string {
	var words []string
	for _, argument := range e.arguments {
		words = append(words, strings.Fields(argument.value)...)
	}
	for _, name := range []string{"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS"} {
		if variable, found := e.get(name); found {
			words = append(words, strings.Fields(variable.value)...)
		}
	}
	return words
}

var (
	hikariArgument = regexp.MustCompile(`(?i)^(?:-D|--)(spring\.datasource\.hikari\.maximum-?pool-?size)$`)
	poolArgument   = regexp.MustCompile(`(?i)^--?((?:db|database|pg|postgres|sql)[-_.]?(?:max[-_.]?(?:open[-_.]?)?conn(?:ection)?s|(?:max[-_.]?)?pool[-_.]?size))$`)
)

// fromArguments reads a pool's size from a flag, --name=7 or --name 7.
func fromArguments(input PoolInput, environment environment) (PoolSize, bool) {
	words := environment.words()
	for i, word := range words {
		name, value, whole := strings.Cut(word, "=")
		if !hikariArgument.MatchString(name) && !poolArgument.MatchString(name) {
			continue
		}
		if !whole && i+1 < len(words) {
			value = words[i+1]
		}
		stack := ""
		if hikariArgument.MatchString(name) {
			stack = "Hikari"
		}
		pool := stated(input.Workload+" args "+name, value, TrustConfigured)
		pool.Places = input.flag(environment, name)
		return environment.times(pool, stack), true
	}
	return PoolSize{}, false
}
