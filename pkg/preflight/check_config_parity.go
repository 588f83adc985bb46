package preflight

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func configParity() Check {
	return Check{
		ID: "BG-COL-14", Title: "both colours are configured alike", Area: AreaColors,
		Stages:   []Stage{StagePR, StageDeploy},
		Why:      "A variable that one colour has and the other lacks, or a value that differs, is as often forgotten as intended, and shows only under traffic. Compared are variables and mounted files: those of the template, of ConfigMaps and of Secrets, by a hash under a key that nobody keeps. No value is shown or kept. What the version explains is left out: the colour's name, its Service and workloads, labels, the tags of images, and variables that name a build, such as GIT_SHA and BUILD_DATE.",
		Remedy:   "give both colours the variable, the key or the value that the finding names, or suppress the finding with the reason",
		Source:   "second runbook, Common Pitfalls (Logs missing version tag: incorrect injection in v2)",
		Evaluate: evaluateConfigParity,
	}
}

func evaluateConfigParity(facts *Facts) []Finding {
	colors := facts.colors()
	if len(colors) != 2 {
		return []Finding{skip("colours", "there are not two colours to compare")}
	}
	var names [2][]string
	for i, color := range colors {
		if !color.Workloads.Known {
			if facts.Stage == StagePR && len(color.Declared.Manifests) == 0 {
				return []Finding{undeclaredManifests(color.Name)}
			}
			return color.Workloads.unknown("colour " + color.Name)
		}
		for _, workload := range color.Workloads.Value {
			names[i] = append(names[i], variableNames(workload.Template)...)
		}
	}
	variables := variablesAlike(colors, names)
	if one, other := colors[0].Workloads.Value, colors[1].Workloads.Value; variables.Outcome == Warn && len(one) > 0 && len(other) > 0 {
		differing := append(missingFrom(names[0], names[1]), missingFrom(names[1], names[0])...)
		variables.Position = differsAt(facts, one[0], other[0], func(pod corev1.PodSpec) string { return variableField(pod, differing[0]) })
	}
	return append([]Finding{variables}, valuesAlike(facts, colors)...)
}

// variablesAlike judges the names of the variables in the templates.
func variablesAlike(colors []Color, names [2][]string) Finding {
	subject := colors[0].Name + " and " + colors[1].Name
	only := [2][]string{missingFrom(names[0], names[1]), missingFrom(names[1], names[0])}
	if len(only[0])+len(only[1]) == 0 {
		return pass(subject, "both have the same %d variables", len(slices.Compact(slices.Sorted(slices.Values(names[0])))))
	}
	return warn(subject, "their variables differ: %s", describeOnly(colors, only)).
		fix("add the variable to spec.template.spec.containers[].env of the other colour, or remove it from both")
}

// valuesAlike judges the values, workload by workload.
func valuesAlike(facts *Facts, colors []Color) []Finding {
	one, other := facts.Settings[colors[0].Name], facts.Settings[colors[1].Name]
	if facts.Settings == nil {
		return []Finding{unknown("values", "they were not looked at")}
	}
	var findings []Finding
	for at := range min(len(one), len(other)) {
		compared := comparedSettings{colors: colors, at: at}
		compared.compare(one[at], other[at])
		findings = append(findings, compared.findings(facts.Stage)...)
		if last := len(findings) - 1; last >= 0 && findings[last].Outcome == Warn {
			findings[last].Position = compared.place(facts)
		}
	}
	return findings
}

// comparedSettings is what became of comparing two workloads.
type comparedSettings struct {
	colors []Color
	at     int
	// alike counts what is the same; differs holds where each stands, by its name.
	alike   int
	differs map[string]string
	only    [2][]string
	unread  []string
	// forbidden: a right is what something unread lacks.
	forbidden bool
}

func (c *comparedSettings) compare(one, other map[string]Setting) {
	c.differs = map[string]string{}
	names := slices.Concat(slices.Collect(maps.Keys(one)), slices.Collect(maps.Keys(other)))
	slices.Sort(names)
	whole := true
	for _, name := range slices.Compact(names) {
		a, hasA := one[name]
		b, hasB := other[name]
		switch {
		case a.Unread != "" || b.Unread != "":
			c.unread = append(c.unread, name+": "+unreadSetting(a, b))
			c.forbidden = c.forbidden || a.Forbidden || b.Forbidden
			whole = whole && strings.Contains(name, "env ")
		case hasA && hasB && (a.alike(b) || isBuild(name)):
			c.alike++
		case hasA && hasB:
			c.differs[name] = a.From + " | " + b.From
		case hasA && !c.declares(0, name):
			c.only[0] = append(c.only[0], name)
		case hasB && !c.declares(1, name):
			c.only[1] = append(c.only[1], name)
		}
	}
	if !whole { // what was not read might be the other's
		c.only = [2][]string{}
	}
}

// place is where the first of what differs stands, as far as manifests hold it.
func (c *comparedSettings) place(facts *Facts) *release.Position {
	names := slices.Concat(slices.Sorted(maps.Keys(c.differs)), c.only[0], c.only[1])
	if len(names) == 0 {
		return nil
	}
	for from := range strings.SplitSeq(c.differs[names[0]], " | ") {
		object, key, _ := strings.Cut(from, " key ")
		if position, found := facts.Places.Manifests[object].Nearest("data." + key); found {
			return &position
		}
	}
	_, variable, _ := strings.Cut(names[0], "env ")
	return differsAt(facts, c.colors[0].Workloads.Value[c.at], c.colors[1].Workloads.Value[c.at],
		func(pod corev1.PodSpec) string { return variableField(pod, variable) })
}

func unreadSetting(settings ...Setting) string {
	var why []string
	for _, setting := range settings {
		if setting.Unread != "" {
			why = append(why, setting.From+": "+setting.Unread)
		}
	}
	return strings.Join(why, "; ")
}

// declares reports whether a variable stands in the template itself, where its name
// is told already.
func (c *comparedSettings) declares(color int, setting string) bool {
	_, name, found := strings.Cut(setting, "env ")
	return found && slices.Contains(variableNames(c.colors[color].Workloads.Value[c.at].Template), name)
}

func (c *comparedSettings) findings(stage Stage) []Finding {
	subject := c.colors[0].Workloads.Value[c.at].Ref.String() + " and " + c.colors[1].Workloads.Value[c.at].Ref.String()
	var findings []Finding
	var causes []string
	if len(c.differs) > 0 {
		causes = append(causes, "the values differ of "+strings.Join(slices.Sorted(maps.Keys(c.differs)), ", "))
	}
	if only := describeOnly(c.colors, c.only); only != "" {
		causes = append(causes, only)
	}
	switch {
	case len(causes) > 0:
		finding := warn(subject, "%s", strings.Join(causes, "; "))
		for name, from := range c.differs {
			finding = finding.with(name, from)
		}
		findings = append(findings, finding)
	case len(c.unread) == 0 || stage == StagePR:
		findings = append(findings, c.nothingDiffers(subject))
	}
	if len(c.unread) > 0 && stage != StagePR {
		findings = append(findings, unknown(subject, "whether the values are the same is not known of %s", strings.Join(c.unread, ", ")).fix("%s", c.readable()))
	}
	return findings
}

// nothingDiffers says how much was compared. What a pull request's manifests don't
// hold is evidence: the cluster may.
func (c *comparedSettings) nothingDiffers(subject string) Finding {
	finding := skip(subject, "they have no value that could be compared")
	if c.alike > 0 {
		finding = pass(subject, "no value differs (%d compared)", c.alike)
	}
	if len(c.unread) > 0 {
		finding = finding.with("not compared", strings.Join(c.unread, ", "))
	}
	return finding
}

// readable is what makes what was not read readable.
func (c *comparedSettings) readable() string {
	if c.forbidden {
		return "grant the right to read what the finding names, which kubectl bluegreen generate rbac has"
	}
	return "create the object or the key that the finding names, or mark the reference to it optional"
}

// isBuild reports whether a setting is a variable that names a build.
func isBuild(setting string) bool {
	_, name, found := strings.Cut(setting, "env ")
	return found && namesBuild.MatchString(name)
}

func describeOnly(colors []Color, only [2][]string) string {
	var parts []string
	for i, names := range only {
		if len(names) > 0 {
			parts = append(parts, "only "+colors[i].Name+" has "+strings.Join(names, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// variableNames are the names of a template's variables, never their
// values.
func variableNames(template corev1.PodTemplateSpec) []string {
	var names []string
	for _, container := range template.Spec.Containers {
		for _, env := range container.Env {
			names = append(names, env.Name)
		}
	}
	return names
}

func missingFrom(names, other []string) []string {
	var missing []string
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if !slices.Contains(other, name) {
			missing = append(missing, name)
		}
	}
	return missing
}
