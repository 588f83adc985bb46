package plugin

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// addSeriesFlag declares --series, of what is written about databases.
func addSeriesFlag(cmd *cobra.Command, series *[]string) {
	cmd.Flags().StringArrayVar(series, "series", nil, `DATABASE=MATCHERS, which series are those of a database's server: 'main=instance="db-1:9187"'; may be repeated`)
}

// labelMatchers are one or more label matchers of PromQL.
var labelMatchers = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*(=|!=|=~|!~)"([^"\\\n]|\\.)*"(,[a-zA-Z_][a-zA-Z0-9_]*(=|!=|=~|!~)"([^"\\\n]|\\.)*")*$`)

// seriesOf are the matchers of databases by their names. It tells where a rule
// about one database would be about all.
func (i *invocation) seriesOf(rel *release.Release, flags []string) (map[string]string, error) {
	series, err := keyValues("series", flags)
	if err != nil {
		return nil, err
	}
	var names, untold []string
	for _, database := range rel.Spec.Databases {
		names = append(names, database.Name)
		if series[database.Name] == "" {
			untold = append(untold, database.Name)
		}
	}
	for name, matchers := range series {
		if !slices.Contains(names, name) {
			return nil, release.WithHint(fmt.Errorf("read --series: the release has no database %q", name), "it has: "+strings.Join(names, ", "))
		}
		if !labelMatchers.MatchString(matchers) {
			return nil, release.WithHint(fmt.Errorf("read --series of %s: %s is no list of label matchers", name, matchers), `write them as in PromQL, without braces: instance="db-1:9187",job="postgres"`)
		}
	}
	if len(names) > 1 && len(untold) > 0 {
		i.note("nothing tells the servers of the databases apart, so what is written for %s is about every server: see --series", strings.Join(untold, " and "))
	}
	return series, nil
}

// keyValues are the KEY=VALUE of a flag.
func keyValues(flag string, given []string) (map[string]string, error) {
	values := map[string]string{}
	for _, text := range given {
		key, value, found := strings.Cut(text, "=")
		if !found || key == "" || value == "" {
			return nil, fmt.Errorf("read --%s %q: expected a name, = and a value", flag, text)
		}
		if _, twice := values[key]; twice {
			return nil, fmt.Errorf("read --%s: %s is given twice", flag, key)
		}
		values[key] = value
	}
	return values, nil
}
