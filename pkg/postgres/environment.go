package postgres

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
)

// Lookup reads the data of a ConfigMap or Secret of the workload's namespace:
// kind is configmap or secret. Its error must hold no value.
type Lookup func(ctx context.Context, kind, name string) (map[string]string, error)

// variable is one environment variable of a container, resolved.
type variable struct {
	name, value string
	// origin is secret/NAME or configmap/NAME, "" for a literal; key is that in
	// it.
	origin, key string
	// hidden: it has a value, which is not known.
	hidden bool
	// container is the name of the one that has it, at its place in the pod.
	container string
	at        int
	// word is the place of an argument in the command and the arguments.
	word int
}

// environment is the variables of all containers of a pod template. Values
// may be secret: nothing prints one.
type environment struct {
	variables []variable
	// arguments are the containers' commands and arguments.
	arguments []variable
	// unread says what could not be read and might have held the pool.
	unread []string
}

// get returns the first variable of a name that is set to something, though it may
// not be known to what: of one container there is one.
func (e environment) get(name string) (variable, bool) {
	for _, candidate := range e.variables {
		if candidate.name == name && (candidate.value != "" || candidate.hidden) {
			return candidate, true
		}
	}
	return variable{}, false
}

// connections are what may hold a connection string: the variables, and then the
// arguments, which have no name.
func (e environment) connections() []variable {
	candidates := slices.Clone(e.variables)
	for _, argument := range e.arguments {
		name, value, found := strings.Cut(argument.value, "=")
		if found && strings.HasPrefix(name, "-") {
			argument.value = value
		}
		candidates = append(candidates, argument)
	}
	return candidates
}

// of is the environment of one container.
func (e environment) of(at int) environment {
	elsewhere := func(v variable) bool { return v.at != at }
	return environment{
		variables: slices.DeleteFunc(slices.Clone(e.variables), elsewhere),
		arguments: slices.DeleteFunc(slices.Clone(e.arguments), elsewhere),
	}
}

// readEnvironment resolves the variables of each container as the kubelet does:
// envFrom first, then env, and of several with one name the last. What env and
// the arguments say may refer to variables.
func readEnvironment(ctx context.Context, input PoolInput) environment {
	reader := &environmentReader{ctx: ctx, lookup: input.Lookup, objects: map[string]map[string]string{}, declared: input.Declared.Env}
	for at, container := range running(input.Template.Spec) {
		reader.container, reader.at, reader.first = container.Name, at, len(reader.environment.variables)
		reader.referred = referredBy(container)
		for _, from := range container.EnvFrom {
			reader.readAll(from)
		}
		for _, env := range container.Env {
			reader.readOne(env)
		}
		for word, argument := range slices.Concat(container.Command, container.Args) {
			reader.environment.arguments = append(reader.environment.arguments, variable{value: reader.expand(argument), container: container.Name, at: at, word: word})
		}
	}
	return reader.environment
}

type environmentReader struct {
	ctx      context.Context
	lookup   Lookup
	declared string
	// container is the one whose variables are read, first where they begin.
	container string
	at, first int
	// referred are the names to which what may point at a database refers.
	referred []string
	// objects are those that were read, nil for those that could not be.
	objects     map[string]map[string]string
	environment environment
}

func (r *environmentReader) readAll(from corev1.EnvFromSource) {
	kind, name := "", ""
	var optional *bool
	switch {
	case from.ConfigMapRef != nil:
		kind, name, optional = "configmap", from.ConfigMapRef.Name, from.ConfigMapRef.Optional
	case from.SecretRef != nil:
		kind, name, optional = "secret", from.SecretRef.Name, from.SecretRef.Optional
	default:
		return
	}
	// In one order always: where two connection strings differ, the same one
	// must speak every time.
	data := r.read(kind, name, optional)
	for _, key := range slices.Sorted(maps.Keys(data)) {
		r.set(variable{name: from.Prefix + key, value: data[key], origin: kind + "/" + name, key: key})
	}
}

func (r *environmentReader) readOne(env corev1.EnvVar) {
	switch from := env.ValueFrom; {
	case from == nil:
		r.set(variable{name: env.Name, value: r.expand(env.Value)})
	case from.ConfigMapKeyRef != nil:
		r.readKey(env.Name, "configmap", from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key, from.ConfigMapKeyRef.Optional)
	case from.SecretKeyRef != nil && r.wants(env.Name):
		r.readKey(env.Name, "secret", from.SecretKeyRef.Name, from.SecretKeyRef.Key, from.SecretKeyRef.Optional)
	default:
		// Whatever it is, it is not what one before it said.
		r.set(variable{name: env.Name, hidden: true})
	}
}

// readKey reads one key. One that is optional and not there leaves a variable as
// it was.
func (r *environmentReader) readKey(name, kind, object, key string, optional *bool) {
	origin := kind + "/" + object
	value, found := r.read(kind, object, optional)[key]
	if !found && ptr.Deref(optional, false) && !r.environment.misses(origin) {
		return
	}
	r.set(variable{name: name, value: value, origin: origin, key: key, hidden: !found})
}

// wants reports whether a Secret behind a variable is worth reading: only one
// that may hold a connection string, a part of one, or a pool's size is.
func (r *environmentReader) wants(name string) bool {
	return name == r.declared || mayPointAtDatabase.MatchString(name) || multiplies.MatchString(name) || slices.Contains(r.referred, name)
}

// reference matches $(NAME), and $$, which stands for one $.
var reference = regexp.MustCompile(`\$\$|\$\(([^)]*)\)`)

// expand puts the values of the variables that there are so far in the place of
// references to them. One to no variable stays as it is written, and here also one
// to a variable whose value is not known.
func (r *environmentReader) expand(text string) string {
	return reference.ReplaceAllStringFunc(text, func(written string) string {
		if written == "$$" {
			return "$"
		}
		for _, candidate := range r.environment.variables[r.first:] {
			if written == "$("+candidate.name+")" && !candidate.hidden {
				return candidate.value
			}
		}
		return written
	})
}

// referredBy are the names of variables to which those of a container refer that
// may point at a database, and its arguments.
func referredBy(container corev1.Container) []string {
	texts := slices.Concat(container.Command, container.Args)
	for _, env := range container.Env {
		if mayPointAtDatabase.MatchString(env.Name) {
			texts = append(texts, env.Value)
		}
	}
	var names []string
	for _, text := range texts {
		for _, match := range reference.FindAllStringSubmatch(text, -1) {
			names = append(names, match[1])
		}
	}
	return names
}

// set gives the container a variable, in the place of one with its name.
func (r *environmentReader) set(v variable) {
	v.container, v.at = r.container, r.at
	own := r.environment.variables[r.first:]
	if i := slices.IndexFunc(own, func(before variable) bool { return before.name == v.name }); i >= 0 {
		own[i] = v
		return
	}
	r.environment.variables = append(r.environment.variables, v)
}

// read is what an object holds, nil where it could not be read, which is noted, and
// where it is optional and not there.
func (r *environmentReader) read(kind, name string, optional *bool) map[string]string {
	key := kind + "/" + name
	if data, done := r.objects[key]; done {
		return data
	}
	if r.lookup == nil {
		r.objects[key] = nil
		r.environment.unread = append(r.environment.unread, key+" was not read")
		return nil
	}
	data, err := r.lookup(r.ctx, kind, name)
	if ptr.Deref(optional, false) && apierrors.IsNotFound(err) {
		return nil
	}
	r.objects[key] = data
	if err != nil {
		r.objects[key] = nil
		r.environment.unread = append(r.environment.unread, fmt.Sprintf("%s could not be read: %v", key, err))
		return nil
	}
	return data
}

var (
	mayPointAtDatabase = regexp.MustCompile(`(?i)(DATABASE|DB|DSN|POSTGRES|PG|CONNECTION|DATASOURCE|POOL)`)

	// multiplies matches the variables that say how many processes there are, or how
	// many connections each has.
	multiplies = regexp.MustCompile(`^(WEB_CONCURRENCY|RAILS_MAX_THREADS|GUNICORN_CMD_ARGS|UVICORN_WORKERS|GRANIAN_WORKERS|UWSGI_PROCESSES)$`)

	// poolParameter is the parameter by which drivers take a pool's size
	// from the connection string: pgx, Prisma, Npgsql. railsParameter is that of
	// Rails, a word that others have for something else.
	poolParameter  = regexp.MustCompile(`(?i)(?:^|[?&;\s])\s*(pool_max_conns|connection_limit|max(?:imum)? ?pool ?size)\s*=\s*'?([^&;\s']*)`)
	railsParameter = regexp.MustCompile(`[?&](pool)=([^&;\s']*)`)
)

// isConnectionString recognises URLs (postgres, postgresql, their jdbc form)
// and the keyword forms of libpq and Npgsql.
func isConnectionString(value string) bool {
	lower := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(value, "jdbc:")))
	if strings.HasPrefix(lower, "postgres://") || strings.HasPrefix(lower, "postgresql://") {
		return true
	}
	return strings.Contains(lower, "host=") && (strings.Contains(lower, "dbname=") || strings.Contains(lower, "database=") || strings.Contains(lower, "user"))
}

func sizeInConnectionString(value string, parameters ...*regexp.Regexp) (parameter, size string, found bool) {
	if !isConnectionString(value) {
		return "", "", false
	}
	for _, candidate := range parameters {
		if match := candidate.FindStringSubmatch(value); match != nil {
			return match[1], match[2], true
		}
	}
	return "", "", false
}
