package preflight

import (
	"fmt"
	"strings"
)

// Pages renders the documentation of checks: the index README.md and a page
// for each, by file name. It is pure; a test keeps docs/checks current with
// it.
func Pages(checks []Check) map[string]string {
	pages := map[string]string{"README.md": index(checks)}
	for _, check := range checks {
		pages[check.ID+".md"] = page(check)
	}
	return pages
}

func index(checks []Check) string {
	var text strings.Builder
	text.WriteString("# Checks\n\nWhat `kubectl bluegreen check` verifies before anything is changed. A fail blocks; so does an unknown of a critical check.\n" +
		"Under `require: production` every unknown blocks, and so does what is not declared.\n")
	area := ""
	for _, check := range checks {
		if check.Area != area {
			area = check.Area
			fmt.Fprintf(&text, "\n## %s\n\n| Check | Verifies that | Critical | Stages |\n|---|---|---|---|\n", areaTitle(area))
		}
		fmt.Fprintf(&text, "| [%s](%s.md) | %s | %s | %s |\n", check.ID, check.ID, check.Title, yes(check.Critical), stageList(check.Stages))
	}
	return text.String()
}

func page(check Check) string {
	return fmt.Sprintf("# %s: %s\n\n%s\n\n## What to do\n\n%s.\n\n## When it runs\n\nAt %s. %s.\n\n## Where it comes from\n\n%s. [The runbooks](../runbooks.md)\n\n[All checks](README.md)\n",
		check.ID, check.Title, check.Why, capital(check.Remedy), stagePhrase(check.Stages), capital(check.Weight()), capital(check.Source))
}

func areaTitle(area string) string {
	return map[string]string{
		AreaColors: "Cluster and colours", AreaRouting: "Routing",
		AreaDatabase: "Database", AreaMonitoring: "Monitoring", AreaLogs: "Logs",
		AreaTesting: "Testing",
	}[area]
}

func stageList(stages []Stage) string {
	var names []string
	for _, stage := range stages {
		names = append(names, string(stage))
	}
	return strings.Join(names, ", ")
}

func stagePhrase(stages []Stage) string {
	if len(stages) == 1 {
		return "the stage " + stageList(stages)
	}
	return "the stages " + stageList(stages)
}

func yes(value bool) string {
	if value {
		return "yes"
	}
	return ""
}

func capital(text string) string {
	if text == "" || strings.HasPrefix(text, "kubectl ") {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
