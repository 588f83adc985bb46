package postgres

import (
	"context"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Reach is by what the pods of a template reach databases. It holds names and
// nothing secret.
type Reach struct {
	// Sources are where variables come from that point at a database, such as
	// secret/shop-database key url, or secret/shop-database where that could not
	// be read.
	Sources []string
	Logins  []Login
	// Unread is what could not be read and might point at one.
	Unread []string
}

// Login is whom pods log in as, and where. What is not known is "".
type Login struct {
	// Host is service.namespace for a Service, without its port.
	Host     string
	Database string
	Role     string
}

// PlaceOf is where a connection string leads, of which "" is what it does not say.
func PlaceOf(dsn, namespace string) Login {
	login := loginOf(dsn)
	return Login{Host: hostNamed(login.Host, namespace), Database: login.Database}
}

// ReachOf finds out by what the pods of a template reach databases. Values of
// Secrets are looked at in memory only. A host without a dot is a Service of
// namespace.
func ReachOf(ctx context.Context, input PoolInput, namespace string) Reach {
	environment := readEnvironment(ctx, input)
	reach := Reach{Unread: environment.unread}
	for _, variable := range environment.variables {
		if variable.origin != "" && pointsAtDatabase(variable, !environment.misses(variable.origin)) {
			reach.Sources = append(reach.Sources, variable.origin+" key "+variable.key)
		}
	}
	for at, container := range running(input.Template.Spec) {
		for _, from := range container.EnvFrom {
			whole := ""
			switch {
			case from.SecretRef != nil:
				whole = "secret/" + from.SecretRef.Name
			case from.ConfigMapRef != nil:
				whole = "configmap/" + from.ConfigMapRef.Name
			}
			if environment.misses(whole) {
				reach.Sources = append(reach.Sources, whole)
			}
		}
		reach.Logins = append(reach.Logins, environment.of(at).logins(namespace)...)
	}
	slices.Sort(reach.Sources)
	reach.Sources = slices.Compact(reach.Sources)
	return reach
}

// And is what two templates reach together.
func (r Reach) And(other Reach) Reach {
	return Reach{
		Sources: slices.Concat(r.Sources, other.Sources), Logins: slices.Concat(r.Logins, other.Logins), Unread: slices.Concat(r.Unread, other.Unread),
	}
}

// SharedWith says by what the pods of a template reach the database that others
// use, "" where nothing says that they do. Behind a pooler it may be reached at
// another host too, which is direct.
func (r Reach) SharedWith(others Reach, pooled bool) (by string, direct bool) {
	for _, source := range r.Sources {
		if slices.ContainsFunc(others.Sources, func(other string) bool { return sameSource(source, other) }) {
			return source, false
		}
	}
	for _, login := range r.Logins {
		for _, other := range others.Logins {
			if login.Host != "" && login.Host == other.Host {
				return "host " + login.Host, false
			}
		}
	}
	for _, login := range r.Logins {
		for _, other := range others.Logins {
			elsewhere := login.Host != "" && other.Host != ""
			alike := login.Role != "" && login.Database != "" && login.Role == other.Role && login.Database == other.Database
			if alike && (pooled || !elsewhere) {
				return "role " + login.Role + " in database " + login.Database, elsewhere
			}
		}
	}
	return "", false
}

// sameSource reports whether two sources are one, or one is a part of the other.
func sameSource(one, other string) bool {
	return one == other || strings.HasPrefix(one, other+" key ") || strings.HasPrefix(other, one+" key ")
}

// misses reports whether a ConfigMap or Secret could not be read.
func (e environment) misses(origin string) bool {
	return origin != "" && slices.ContainsFunc(e.unread, func(unread string) bool { return strings.HasPrefix(unread, origin+" ") })
}

// onlyTunes matches the names of variables that say how a database is used, and
// not which.
var onlyTunes = regexp.MustCompile(`(?i)(POOL|SIZE|MAX|MIN|TIMEOUT|THREADS|SSL|LOG|DEBUG|RETR|LIFETIME|MIGRAT)`)

// namesServer matches the URLs of PostgreSQL that only a framework reads, such as
// postgresql+asyncpg://, r2dbc:postgresql:// and ecto://.
var namesServer = regexp.MustCompile(`(?i)^\s*([a-z0-9]+:)?(postgres|ecto)[a-z0-9+]*://`)

// leadsToServer recognises a connection string of any kind.
func leadsToServer(value string) bool {
	return isConnectionString(value) || namesServer.MatchString(value)
}

// pointsAtDatabase goes by the value where it was read, and else by the name, which
// says less: FEEDBACK_URL has a DB in it.
func pointsAtDatabase(v variable, read bool) bool {
	if read {
		return leadsToServer(v.value) || v.value != "" && hostVariable.MatchString(v.name)
	}
	return mayPointAtDatabase.MatchString(v.name) && !onlyTunes.MatchString(v.name)
}

// The variables by which the parts of a connection string are given one by one. What
// stands before is a word of its own: MONGODB_HOST is none.
var (
	hostVariable     = regexp.MustCompile(`(?i)^(PGHOST|(.*_)?(DB|DATABASE|PG|POSTGRES|POSTGRESQL|DATASOURCE)_?HOST(NAME)?)$`)
	databaseVariable = regexp.MustCompile(`(?i)^(PGDATABASE|(.*_)?(DB|DATABASE)_?NAME|(.*_)?(DB|PG|POSTGRES|POSTGRESQL)_(DB|DATABASE))$`)
	roleVariable     = regexp.MustCompile(`(?i)^(PGUSER|(.*_)?(DB|DATABASE|PG|POSTGRES|POSTGRESQL|DATASOURCE)_?USER(NAME)?)$`)
)

// logins are those of the connection strings, and that of the variables by which
// the parts of one are given.
func (e environment) logins(namespace string) []Login {
	var found []Login
	for _, c := range e.strings(namespace) {
		found = append(found, c.login)
	}
	var parts Login
	for _, variable := range e.variables {
		if leadsToServer(variable.value) {
			continue
		}
		switch {
		case hostVariable.MatchString(variable.name):
			parts.Host = variable.value
		case databaseVariable.MatchString(variable.name):
			parts.Database = variable.value
		case roleVariable.MatchString(variable.name):
			parts.Role = variable.value
		}
	}
	parts = parts.understood()
	parts.Host = hostNamed(parts.Host, namespace)
	found = append(found, parts)
	return slices.DeleteFunc(found, func(login Login) bool { return login == Login{} })
}

// loginOf is the login of a connection string. Where that does not say as whom, a
// variable of its container may.
func (e environment) loginOf(text variable) Login {
	login := loginOf(text.value)
	if login.Role == "" && login != (Login{}) {
		login.Role = environment{variables: slices.DeleteFunc(slices.Clone(e.variables), func(v variable) bool { return v.at != text.at })}.role()
	}
	return login
}

// role is whom variables say that a container logs in as, "" where they differ.
func (e environment) role() string {
	role := ""
	for _, variable := range e.variables {
		if !roleVariable.MatchString(variable.name) || variable.value == "" || variable.value == role {
			continue
		}
		if role != "" {
			return ""
		}
		role = variable.value
	}
	return Login{Role: role}.understood().Role
}

// loginOf reads a connection string; what it does not say, or what can't be
// read, is "".
func loginOf(text string) Login {
	text = strings.TrimSpace(text)
	for _, driver := range []string{"jdbc:", "r2dbc:"} {
		text = strings.TrimPrefix(text, driver)
	}
	if !strings.Contains(text, "://") {
		return loginOfKeywords(text)
	}
	if parsed, err := url.Parse(text); err == nil && parsed.Host != "" {
		role := parsed.User.Username()
		if role == "" {
			role = parsed.Query().Get("user")
		}
		return Login{Host: parsed.Host, Database: strings.TrimPrefix(parsed.Path, "/"), Role: role}.understood()
	}
	// Several hosts, each with its port, are no URL to anybody but PostgreSQL.
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return Login{}
	}
	login := Login{Host: config.Host, Database: config.Database}
	if userOfURL.MatchString(text) {
		login.Role = config.User
	}
	return login.understood()
}

// userOfURL matches a URL that says whom it logs in as. Where one doesn't, pgx takes
// that from the environment of this process, which is nobody's in the cluster.
var userOfURL = regexp.MustCompile(`(?i)^[a-z0-9+]+://[^/@:]+(:[^/@]*)?@|[?&]user=`)

// keyword matches one setting of a connection string in keywords, as libpq writes
// them and, with semicolons, Npgsql. A quoted value is one, whatever stands in it.
var (
	keyword          = regexp.MustCompile(`([A-Za-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|\S*)`)
	keywordSemicolon = regexp.MustCompile(`([^=;]+)=\s*('[^']*'|"[^"]*"|[^;]*)`)
)

func loginOfKeywords(text string) Login {
	matcher := keyword
	if strings.Contains(text, ";") {
		matcher = keywordSemicolon
	}
	var login Login
	for _, setting := range matcher.FindAllStringSubmatch(text, -1) {
		value := strings.Trim(strings.TrimSpace(setting[2]), `'"`)
		switch strings.ToLower(strings.ReplaceAll(strings.TrimSpace(setting[1]), " ", "")) {
		case "host", "server":
			login.Host = value
		case "dbname", "database", "db":
			login.Database = value
		case "user", "username", "userid", "uid":
			login.Role = value
		}
	}
	return login.understood()
}

// understood is a login without what is no name: a reference to a variable that is
// not known, or what was cut out of the string at the wrong place and may hold
// anything.
func (l Login) understood() Login {
	for _, part := range []*string{&l.Host, &l.Database, &l.Role} {
		if strings.ContainsAny(*part, "=; \t\n'\"") || reference.MatchString(*part) {
			*part = ""
		}
	}
	return l
}

// hostNamed is a host without its port, and as service.namespace where it is a
// Service. The pod's own address says nothing of where a proxy in it leads.
func hostNamed(host, namespace string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(host)), ".")
	if host == "" || host == "localhost" || strings.HasPrefix(host, "/") || net.ParseIP(host).IsLoopback() {
		return ""
	}
	if service, _, within := strings.Cut(host, ".svc"); within && strings.Count(service, ".") == 1 {
		return service
	}
	if !strings.Contains(host, ".") {
		return host + "." + namespace
	}
	return host
}
