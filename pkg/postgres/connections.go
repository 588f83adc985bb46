package postgres

import (
	"fmt"
	"slices"
	"strings"
)

// connection is a connection string of a container, and what may be told of it.
type connection struct {
	variable
	login Login
}

// where names it for people.
func (c connection) where() string {
	if c.name == "" {
		return "args"
	}
	return "env " + c.name
}

// strings are the connection strings, each once for a container: two variables
// with one string are one pool. A host without a dot is a Service of namespace.
func (e environment) strings(namespace string) []connection {
	var found []connection
	for _, candidate := range e.connections() {
		again := func(c connection) bool { return c.at == candidate.at && c.value == candidate.value }
		if !leadsToServer(candidate.value) || slices.ContainsFunc(found, again) {
			continue
		}
		login := e.loginOf(candidate)
		login.Host = hostNamed(login.Host, namespace)
		found = append(found, connection{variable: candidate, login: login})
	}
	return found
}

// reached are the connection strings of a pod that lead to the server that is asked
// about.
type reached struct {
	strings []connection
	// login is that of the database that is asked about.
	login Login
	// doubt says why it is not certain that all of them do, "" where it is.
	doubt string
}

// reaching finds them by the host and the name of the database: those with both,
// else those with one of the two, and with them whatever leads to the same host. Where
// neither tells, all count.
func (e environment) reaching(input PoolInput) reached {
	all, at := e.strings(input.Namespace), input.At
	named := func(c connection) bool { return at.Database == "" || c.login.Database == at.Database }
	hosted := func(c connection) bool { return at.Host != "" && c.login.Host == at.Host }
	certain := slices.ContainsFunc(all, func(c connection) bool { return hosted(c) && named(c) })
	hosts := []string{at.Host}
	if !certain && at.Database != "" {
		for _, c := range all {
			if named(c) {
				hosts = append(hosts, c.login.Host)
			}
		}
	}
	found := reached{strings: all}
	if len(hosts) > 1 || slices.ContainsFunc(all, hosted) {
		found.strings = slices.DeleteFunc(slices.Clone(all), func(c connection) bool {
			return c.login.Host != "" && !slices.Contains(hosts, c.login.Host)
		})
	}
	found.login, found.doubt = found.chosen(at), found.doubted()
	if len(all) == 0 {
		found.login.Role = e.role()
	}
	return found
}

// chosen is the login of the database of the name that is asked about, else that
// of the first string.
func (r reached) chosen(at Login) Login {
	for _, c := range r.strings {
		if at.Database != "" && c.login.Database == at.Database {
			return c.login
		}
	}
	if len(r.strings) > 0 {
		return r.strings[0].login
	}
	return Login{}
}

// doubted says that strings with several hosts are counted: they may be names of one
// server, or not.
func (r reached) doubted() string {
	for _, c := range r.strings {
		if c.login.Host != r.strings[0].login.Host {
			return fmt.Sprintf("which of %s lead to this server can't be told, and all are counted", placesOf(r.strings))
		}
	}
	return ""
}

// of are those of one container.
func (r reached) of(at int) []connection {
	return slices.DeleteFunc(slices.Clone(r.strings), func(c connection) bool { return c.at != at })
}

func placesOf(connections []connection) string {
	var places []string
	for _, c := range connections {
		if !slices.Contains(places, c.where()) {
			places = append(places, c.where())
		}
	}
	return strings.Join(places, " and ")
}

// alike reports whether two logins may be the sessions of one role in one database.
func alike(a, b Login) bool {
	return a.Database == b.Database && maybe(a.Role, b.Role)
}

// maybe reports whether two names may be the same, "" any.
func maybe(a, b string) bool { return a == b || a == "" || b == "" }
