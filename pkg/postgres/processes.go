package postgres

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// webConcurrency is the variable that Ruby's and Python's servers take the number of
// their processes from.
const webConcurrency = "WEB_CONCURRENCY"

// forking is how a server that runs as several processes is told as how many. Each
// process has a pool of its own.
type forking struct {
	short string
	long  []string
	// variable is one besides webConcurrency, "" for none.
	variable string
	// threads is the flag for the threads of each process, "" for none.
	threads string
	// file: it reads a file that may say so, whether its arguments name one or not.
	file string
}

// forkingServers are those by their names.
func forkingServers() map[string]forking {
	return map[string]forking{
		"puma":        {short: "-w", long: []string{"--workers"}, file: "config/puma.rb"},
		"rails":       {file: "config/puma.rb"},
		"unicorn":     {file: "its file"},
		"gunicorn":    {short: "-w", long: []string{"--workers"}, threads: "--threads", file: "gunicorn.conf.py"},
		"hypercorn":   {short: "-w", long: []string{"--workers"}},
		"uvicorn":     {long: []string{"--workers"}, variable: "UVICORN_WORKERS"},
		"fastapi":     {long: []string{"--workers"}},
		"granian":     {long: []string{"--workers"}, variable: "GRANIAN_WORKERS"},
		"uwsgi":       {short: "-p", long: []string{"--processes", "--workers"}, variable: "UWSGI_PROCESSES", threads: "--threads"},
		"pm2":         {short: "-i", long: []string{"--instances"}},
		"pm2-runtime": {short: "-i", long: []string{"--instances"}},
		"celery":      {short: "-c", long: []string{"--concurrency"}},
	}
}

func forks(name string) bool {
	_, is := forkingServers()[name]
	return is
}

// What runs as one process, whatever WEB_CONCURRENCY says: by its command, by the
// library of its pool, and by a variable, unless one of forkingVariable says
// otherwise: an application in Ruby may have its assets built by Node.js.
var (
	singleCommand   = regexp.MustCompile(`^(node|npm|npx|yarn|pnpm|bun|deno|tsx|java|dotnet|mix|iex|sidekiq|good_job|resque|rake)$`)
	singleVariable  = regexp.MustCompile(`^(NODE_ENV|NODE_OPTIONS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|JAVA_OPTS|SPRING_.*|MIX_ENV|PHX_HOST|ASPNETCORE_.*|DOTNET_.*|GOMAXPROCS|GOMEMLIMIT|GOGC)$`)
	forkingVariable = regexp.MustCompile(`^(RAILS_.*|RACK_ENV|DJANGO_.*|GUNICORN_.*|UVICORN_.*|FLASK_.*|PYTHON.*|RUBY.*|BUNDLE_.*|GEM_.*)$`)
	singleStacks    = []string{"Hikari", "database/sql", "Ecto", "Npgsql", "pgx", "Prisma"}

	// Of these, Node.js may have an application that forks by itself.
	nodeCommand  = regexp.MustCompile(`^(node|npm|npx|yarn|pnpm|bun|deno|tsx)$`)
	nodeVariable = regexp.MustCompile(`^NODE_(ENV|OPTIONS)$`)

	// configurationFile matches an argument that names a file of a server.
	configurationFile = regexp.MustCompile(`\.(ini|xml|json|ya?ml|toml|config\.[cm]?js)$`)
)

// stackOf is the stack whose parameter of a connection string this is.
func stackOf(parameter string) string {
	switch strings.ToLower(parameter) {
	case "pool":
		return "Rails"
	case "pool_max_conns":
		return "pgx"
	case "connection_limit":
		return "Prisma"
	default:
		return "Npgsql"
	}
}

// server is a server that forks, and what follows its name.
type server struct {
	name  string
	words []string
	own   environment
}

// server finds the one that a container runs. Its name is "" where there is none.
func (e environment) server() server {
	if command := e.command(); command.serves() {
		return server{name: command.name, words: command.words, own: e}
	}
	if _, configured := e.get("GUNICORN_CMD_ARGS"); configured {
		return server{name: "gunicorn", own: e}
	}
	return server{}
}

// joinedNumber matches what stands right behind a flag of one letter.
var joinedNumber = regexp.MustCompile(`^[0-9$]`)

// flag is the value of the last of a flag's spellings: -w 4, -w4, --workers 4 and
// --workers=4. Those of gunicorn stand in a variable too, which its arguments go
// before.
func (s server) flag(short string, long ...string) (value string, found bool) {
	lines := [][]string{s.words}
	if variable, configured := s.own.get("GUNICORN_CMD_ARGS"); configured && s.name == "gunicorn" {
		lines = append(lines, strings.Fields(variable.value))
	}
	for _, words := range lines {
		for i, word := range words {
			name, behind, whole := strings.Cut(word, "=")
			joined := short != "" && joinedNumber.MatchString(strings.TrimPrefix(word, short)) && strings.HasPrefix(word, short)
			switch {
			case whole && name != "" && (name == short || slices.Contains(long, name)):
				value, found = behind, true
			case word != "" && (word == short || slices.Contains(long, word)) && i+1 < len(words):
				value, found = words[i+1], true
			case joined:
				value, found = strings.TrimPrefix(word, short), true
			}
		}
		if found {
			return s.own.shell(value), true
		}
	}
	return "", false
}

// shell is what a shell makes of a word that is one variable, such as $WORKERS or
// ${WORKERS:-4}.
func (e environment) shell(word string) string {
	word = strings.Trim(word, `"'`)
	name, is := strings.CutPrefix(word, "$")
	if !is {
		return word
	}
	name, instead, _ := strings.Cut(strings.Trim(name, "{}"), ":-")
	if variable, found := e.get(name); found {
		return variable.value
	}
	return instead
}

// rails reports whether a container runs Rails.
func (e environment) rails() bool {
	for _, sign := range []string{"RAILS_ENV", "RAILS_MAX_THREADS", "RACK_ENV"} {
		if _, found := e.get(sign); found {
			return true
		}
	}
	return slices.ContainsFunc(e.words(), func(word string) bool {
		return slices.Contains([]string{"puma", "rails", "unicorn", "sidekiq"}, path.Base(word))
	})
}

// single reports whether a container runs one process that has a pool of a stack.
func (e environment) single(stack string) bool {
	has := func(names *regexp.Regexp) bool {
		return slices.ContainsFunc(e.variables, func(v variable) bool { return names.MatchString(v.name) })
	}
	return slices.Contains(singleStacks, stack) || singleCommand.MatchString(e.command().name) || has(singleVariable) && !has(forkingVariable)
}

// node reports whether a container runs Node.js.
func (e environment) node(stack string) bool {
	return stack == "Prisma" || nodeCommand.MatchString(e.command().name) ||
		slices.ContainsFunc(e.variables, func(v variable) bool { return nodeVariable.MatchString(v.name) })
}

// processes is how many a container runs.
type processes struct {
	// count is that as text, and by what says so; "" where nothing does.
	count, by string
	// assumed is why there may be more than one all the same, unknown why nobody can
	// tell; "" for nothing.
	assumed, unknown string
}

// processes finds out how many a container runs that has a pool of a stack.
func (e environment) processes(stack string) processes {
	server := e.server()
	variable, stated := e.get(webConcurrency)
	if server.name == "" && e.single(stack) {
		if stated && variable.value != "1" && e.node(stack) {
			return processes{assumed: "one process is assumed, for Node.js itself takes nothing from " + webConcurrency + ", and an application may fork by it"}
		}
		return processes{}
	}
	if found := server.told(); found != (processes{}) {
		found.assumed = e.others()
		return found
	}
	if stated {
		return processes{count: variable.value, by: webConcurrency}
	}
	return server.untold()
}

// others says that a container may run several servers, of which the last one counts.
func (e environment) others() string {
	var names []string
	for _, command := range e.commands() {
		if command.serves() {
			names = append(names, command.name)
		}
	}
	if len(names) < 2 {
		return ""
	}
	return fmt.Sprintf("the processes of %s alone are counted, and its command starts %s too", names[0], strings.Join(names[1:], ", "))
}

// told is what the arguments of a server and its own variable say.
func (s server) told() processes {
	how := forkingServers()[s.name]
	value, found := s.flag(how.short, how.long...)
	by := cmp.Or(how.short, strings.Join(how.long, ", "))
	if s.name == "celery" && !found {
		value, found = s.flag("", "--autoscale") // at most, at least
		value, _, _ = strings.Cut(value, ",")
		by = "--autoscale"
	}
	switch variable, set := s.own.get(how.variable); {
	case found && strings.HasPrefix(s.name, "pm2") && value == "0":
		return processes{unknown: s.name + " " + by + " 0 is as many processes as the node has processors"}
	case found:
		return processes{count: value, by: s.name + " " + by}
	case set:
		return processes{count: variable.value, by: how.variable}
	}
	return processes{}
}

// untold is what is left to say of a server where nothing tells how many processes it
// has: most have one.
func (s server) untold() processes {
	if s.name == "celery" {
		return processes{unknown: "celery without --concurrency runs as many processes as the node has processors"}
	}
	file := forkingServers()[s.name].file
	for _, word := range s.words {
		if configurationFile.MatchString(word) {
			file = cmp.Or(file, word)
		}
	}
	if value, found := s.flag("-c", "-C", "--config", "--config-file"); found && file != "" {
		file = value
	}
	if file == "" {
		return processes{}
	}
	return processes{assumed: fmt.Sprintf("one process of %s is assumed, and %s, which is not read, may say otherwise", s.name, file)}
}

// times multiplies the pool of a process by the processes of its container. Puma
// runs as one where it is told to have no workers.
func (e environment) times(pool PoolSize, stack string) PoolSize {
	found := e.processes(stack)
	switch {
	case !pool.Known:
		return pool
	case found.unknown != "":
		return PoolSize{Provenance: found.unknown, Field: pool.Field, Places: pool.Places, Role: pool.Role, Database: pool.Database}
	case found.by == "":
		if found.assumed != "" {
			pool.assume(found.assumed)
		}
		return pool
	}
	count, err := strconv.Atoi(strings.TrimSpace(found.count))
	if err != nil || count < 0 {
		return PoolSize{Provenance: found.by + " is not a whole number", Field: pool.Field, Places: pool.Places, Role: pool.Role, Database: pool.Database}
	}
	pool.Processes = max(1, count)
	pool.Connections *= pool.Processes
	pool.Provenance = fmt.Sprintf("%s × %d processes (%s)", pool.Provenance, pool.Processes, found.by)
	if found.assumed != "" {
		pool.assume(found.assumed)
	}
	return pool
}
