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

// forking are the servers that run as several processes, with the flags that say as
// how many. Each process has a pool of its own.
func forking() map[string]struct{ short, long string } {
	return map[string]struct{ short, long string }{
		"puma":      {"-w", "--workers"},
		"gunicorn":  {"-w", "--workers"},
		"hypercorn": {"-w", "--workers"},
		"uvicorn":   {"", "--workers"},
		"fastapi":   {"", "--workers"},
		"unicorn":   {}, // in its file alone
	}
}

// What runs as one process, whatever WEB_CONCURRENCY says: by its command, by the
// library of its pool, and by a variable, unless one of forkingVariable says
// otherwise: an application in Ruby may have its assets built by Node.js.
var (
	singleCommand   = regexp.MustCompile(`^(node|npm|npx|yarn|pnpm|bun|deno|tsx|java|dotnet|mix|iex|sidekiq|good_job|resque|rake)$`)
	singleVariable  = regexp.MustCompile(`^(NODE_ENV|NODE_OPTIONS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|JAVA_OPTS|SPRING_.*|MIX_ENV|PHX_HOST|ASPNETCORE_.*|DOTNET_.*|GOMAXPROCS|GOMEMLIMIT|GOGC)$`)
	forkingVariable = regexp.MustCompile(`^(RAILS_.*|RACK_ENV|DJANGO_.*|GUNICORN_.*|UVICORN_.*|FLASK_.*|PYTHON.*|RUBY.*|BUNDLE_.*|GEM_.*)$`)
	singleStacks    = []string{"Hikari", "database/sql", "Ecto", "Npgsql", "pgx", "Prisma"}
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

// server is a server among the words of a container, and what follows its name.
type server struct {
	name  string
	words []string
	own   environment
}

// server finds the last one of these names, since a shell's line may do something
// before; "" is any that forks. Its name is "" where there is none.
func (e environment) server(name string) server {
	words := e.words()
	for i, word := range slices.Backward(words) {
		base := path.Base(word)
		if _, forks := forking()[base]; forks && (name == "" || name == base) {
			return server{name: base, words: words[i+1:], own: e}
		}
	}
	if _, configured := e.get("GUNICORN_CMD_ARGS"); configured && (name == "" || name == "gunicorn") {
		return server{name: "gunicorn", own: e}
	}
	return server{}
}

// joinedNumber matches what stands right behind a flag of one letter.
var joinedNumber = regexp.MustCompile(`^[0-9$]`)

// flag is the value of the last of a flag's spellings: -w 4, -w4, --workers 4 and
// --workers=4. Those of gunicorn stand in a variable too, which its arguments go
// before.
func (s server) flag(short, long string) (value string, found bool) {
	lines := [][]string{s.words}
	if variable, configured := s.own.get("GUNICORN_CMD_ARGS"); configured && s.name == "gunicorn" {
		lines = append(lines, strings.Fields(variable.value))
	}
	for _, words := range lines {
		for i, word := range words {
			name, behind, whole := strings.Cut(word, "=")
			joined := short != "" && joinedNumber.MatchString(strings.TrimPrefix(word, short)) && strings.HasPrefix(word, short)
			switch {
			case (name == long || name == short) && name != "" && whole:
				value, found = behind, true
			case (word == long || word == short) && i+1 < len(words):
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
	command := func(word string) bool { return singleCommand.MatchString(path.Base(word)) }
	return slices.Contains(singleStacks, stack) || slices.ContainsFunc(e.words(), command) || has(singleVariable) && !has(forkingVariable)
}

// processes is how many a container runs, as text, and what says so; "" where
// nothing does.
func (e environment) processes(stack string) (count, by string) {
	server := e.server("")
	if server.name == "" && e.single(stack) {
		return "", ""
	}
	flags := forking()[server.name]
	if value, found := server.flag(flags.short, flags.long); found {
		return value, server.name + " " + cmp.Or(flags.short, flags.long)
	}
	if variable, found := e.get(webConcurrency); found {
		return variable.value, webConcurrency
	}
	return "", ""
}

// times multiplies the pool of a process by the processes of its container. Puma
// runs as one where it is told to have no workers.
func (e environment) times(pool PoolSize, stack string) PoolSize {
	text, by := e.processes(stack)
	if by == "" || !pool.Known {
		return pool
	}
	count, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || count < 0 {
		return PoolSize{Provenance: by + " is not a whole number", Field: pool.Field, Places: pool.Places, Role: pool.Role, Database: pool.Database}
	}
	pool.Processes = max(1, count)
	pool.Connections *= pool.Processes
	pool.Provenance = fmt.Sprintf("%s × %d processes (%s)", pool.Provenance, pool.Processes, by)
	return pool
}
