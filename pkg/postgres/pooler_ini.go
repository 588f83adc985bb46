package postgres

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ParsePgBouncer reads a pgbouncer.ini. Errors name the line and hold no value:
// an entry may have a password.
func ParsePgBouncer(text string) (PoolerConfig, error) {
	config := NewPoolerConfig()
	section, number := "", 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, ";") || strings.HasPrefix(line, "#"):
			continue
		case strings.HasPrefix(line, "%include"):
			return PoolerConfig{}, fmt.Errorf("read pgbouncer.ini: line %d: it includes another file, which is not read", number)
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			section = strings.ToLower(strings.Trim(line, "[]"))
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found {
			return PoolerConfig{}, fmt.Errorf("read pgbouncer.ini: line %d: expected NAME = VALUE", number)
		}
		if err := config.line(section, strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
			return PoolerConfig{}, fmt.Errorf("read pgbouncer.ini: line %d: %w", number, err)
		}
	}
	return config, nil
}

func (c *PoolerConfig) line(section, name, value string) error {
	switch section {
	case "pgbouncer":
		return c.Set(name, value)
	case "databases":
		entry, err := parseEntry(strings.Trim(name, `"`), value)
		c.Databases = append(c.Databases, entry)
		return err
	case "users":
		if strings.Contains(value, "pool_size") || strings.Contains(value, "max_user_connections") {
			return errors.New("a user has limits of its own, which are not reckoned with")
		}
	}
	return nil
}

// parseEntry reads the connection string of an entry: NAME=VALUE, apart by
// blanks, a value in single quotes where it holds some.
func parseEntry(name, text string) (PoolerDatabase, error) {
	entry := PoolerDatabase{Name: name, PoolSize: unset, Reserve: unset, MaxConnections: unset}
	for rest := strings.TrimSpace(text); rest != ""; {
		key, after, found := strings.Cut(rest, "=")
		if !found {
			return entry, fmt.Errorf("entry %s: expected NAME=VALUE", name)
		}
		var value string
		if value, rest, found = cutValue(strings.TrimLeft(after, " \t")); !found {
			return entry, fmt.Errorf("entry %s: a quote is not closed", name)
		}
		if err := entry.set(strings.ToLower(strings.TrimSpace(key)), value); err != nil {
			return entry, fmt.Errorf("entry %s: %w", name, err)
		}
	}
	return entry, nil
}

func cutValue(text string) (value, rest string, closed bool) {
	if !strings.HasPrefix(text, "'") {
		end := strings.IndexAny(text, " \t")
		if end < 0 {
			return text, "", true
		}
		return text[:end], strings.TrimSpace(text[end:]), true
	}
	var out strings.Builder
	for at := 1; at < len(text); at++ {
		switch {
		case text[at] != '\'':
			out.WriteByte(text[at])
		case at+1 < len(text) && text[at+1] == '\'':
			out.WriteByte('\'')
			at++
		default:
			return out.String(), strings.TrimSpace(text[at+1:]), true
		}
	}
	return "", "", false
}

func (d *PoolerDatabase) set(key, value string) error {
	into := map[string]*int{"pool_size": &d.PoolSize, "reserve_pool": &d.Reserve, "reserve_pool_size": &d.Reserve, "max_db_connections": &d.MaxConnections}[key]
	switch {
	case key == "dbname":
		d.Target = value
	case key == "user":
		d.User = value
	case into != nil:
		number, err := strconv.Atoi(value)
		if err != nil || number < 0 {
			return fmt.Errorf("%s is not a whole number of at least 0", key)
		}
		*into = number
	}
	return nil
}
