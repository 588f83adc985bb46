package plugin

import (
	"regexp"
	"strings"

	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/shell"
)

// What is printed as a command is pasted, maybe in another folder, by somebody
// else, with another current context. There a bare "rollback" would roll back
// another release, or in another cluster. So every command that is printed
// repeats what this one was told about which release and which cluster.

// releaseCommand matches, in a text, a command that is about one release, and
// the Service that it names already, or that it is about another's document.
var releaseCommand = regexp.MustCompile(`\b` + name + ` (init|check|explain (?:route|policy|BG-[A-Z]+-\d+)|db budget|shift|rollback|stop|resume|finish|status|history|signoff(?: BG-[A-Z]+-\d+)?|generate (?:rbac|admission-policy|alerts|grafana|gitops))\b( svc/\S+)?( -f FILE)?( --help)?`)

// clusterCommand matches a command of kubectl's own that asks a cluster.
var clusterCommand = regexp.MustCompile(`\bkubectl (-n|get|auth|cluster-info|config view)\b`)

// printNext writes the one command to type next.
func (i *invocation) printNext(command string) {
	if command != "" {
		i.note("%s %s", i.streams.err.in(cyan, "next:"), i.pasteable(command))
	}
}

// pasteable is a text in which every command says which release and which
// cluster it is about, as this one was called.
func (i *invocation) pasteable(text string) string {
	text = clusterCommand.ReplaceAllStringFunc(text, func(found string) string {
		return "kubectl" + i.clusterFlags() + strings.TrimPrefix(found, "kubectl")
	})
	return releaseCommand.ReplaceAllStringFunc(text, func(found string) string {
		parts := releaseCommand.FindStringSubmatch(found)
		verb, named, another, help := parts[1], parts[2], parts[3], parts[4]
		switch {
		case help != "":
			return found
		case another != "": // the document of another release, in the same namespace
			return found + flag("-n", ptr.Deref(i.kubeconfig.Namespace, "")) + i.clusterFlags()
		}
		return name + " " + verb + named + i.releaseArguments(verb, named != "") + i.clusterFlags()
	})
}

// releaseArguments say which release a verb is about: svc/NAME, unless the
// Service is named, -f and -n. What explain takes as an argument is no Service.
func (i *invocation) releaseArguments(verb string, named bool) string {
	service, file, namespace := i.service, i.file, ptr.Deref(i.kubeconfig.Namespace, "")
	if piped := i.piped; piped != nil && goesByRecord(verb) {
		// stdin can't be repeated, and the run has left a copy of what it was.
		service, file, namespace = piped.Spec.Traffic.Service.Name, "", piped.Metadata.Namespace
	}
	arguments := ""
	if service != "" && !named && !strings.HasPrefix(verb, "explain") {
		arguments = " svc/" + shell.Word(service)
	}
	return arguments + flag("-f", file) + flag("-n", namespace)
}

// goesByRecord reports whether a verb is about a run that has begun.
func goesByRecord(verb string) bool {
	switch verb {
	case "rollback", "stop", "resume", "finish", "status", "history":
		return true
	}
	return false
}

// clusterFlags say which cluster is meant, as kubectl takes them. Flags that
// hold a secret are not among them, nor is a server whose address holds one.
func (i *invocation) clusterFlags() string {
	flags := i.kubeconfig
	server := ptr.Deref(flags.APIServer, "")
	if release.Redacted(server) != server {
		server = ""
	}
	as := flag("--as", ptr.Deref(flags.Impersonate, "")) + flag("--as-uid", ptr.Deref(flags.ImpersonateUID, ""))
	for _, group := range ptr.Deref(flags.ImpersonateGroup, nil) {
		as += flag("--as-group", group)
	}
	return as + flag("--context", ptr.Deref(flags.Context, "")) + flag("--kubeconfig", ptr.Deref(flags.KubeConfig, "")) +
		flag("--cluster", ptr.Deref(flags.ClusterName, "")) + flag("--user", ptr.Deref(flags.AuthInfoName, "")) + flag("--server", server)
}

// flag is a flag with its value, nothing where it has none.
func flag(name, value string) string {
	if value == "" {
		return ""
	}
	return " " + name + " " + shell.Word(value)
}
