package shop

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

const (
	// databaseNamespace is where PostgreSQL runs, and the Secret postgres
	// with its passwords.
	databaseNamespace = "database"
	databaseHost      = "postgres.database"
	databasePort      = 5432
)

// MonitorSecret is the Secret through which the program under test reaches the
// database; its key is url.
const MonitorSecret = "bluegreen-monitor"

// database is a shop's own in the shared server, with a role of the same name.
type database struct {
	name, password string
	// roleMade and made say what is the shop's to take away.
	roleMade, made bool
}

// openDatabase makes a database with a role that owns it, and the Secrets
// through which the service and the program under test reach it.
func (s *Shop) openDatabase(ctx context.Context) error {
	s.database = database{name: strings.ReplaceAll(s.Namespace, "-", "_"), password: rand.Text()}
	quoted := pgx.Identifier{s.database.name}.Sanitize()
	if err := s.AsSuperuser(ctx, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", quoted, s.database.password)); err != nil {
		return fmt.Errorf("make role: %w", err)
	}
	s.database.roleMade = true
	// As a well-kept service has them; longer than anything that tests hold.
	for _, timeout := range []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
		if err := s.AsSuperuser(ctx, fmt.Sprintf("ALTER ROLE %s SET %s = '10min'", quoted, timeout)); err != nil {
			return fmt.Errorf("make role: %w", err)
		}
	}
	if err := s.AsSuperuser(ctx, fmt.Sprintf("CREATE DATABASE %s OWNER %s", quoted, quoted)); err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	s.database.made = true
	monitor, err := s.password(ctx, "monitor-password")
	if err != nil {
		return err
	}
	for secret, role := range map[string]*url.Userinfo{
		"recommendation-database": url.UserPassword(s.database.name, s.database.password),
		MonitorSecret:             url.UserPassword("monitor", monitor),
	} {
		object := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: secret},
			StringData: map[string]string{"url": s.database.url(role)},
		}
		if _, err := s.place.Client.Kubernetes.CoreV1().Secrets(s.Namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("create Secret %s: %w", secret, err)
		}
	}
	return nil
}

// closeDatabase takes away what was made of it, whoever is connected.
func (s *Shop) closeDatabase(ctx context.Context) error {
	quoted := pgx.Identifier{s.database.name}.Sanitize()
	var statements []string
	if s.database.made {
		statements = append(statements, "DROP DATABASE IF EXISTS "+quoted+" WITH (FORCE)")
	}
	if s.database.roleMade {
		statements = append(statements, "DROP ROLE IF EXISTS "+quoted)
	}
	if len(statements) == 0 {
		return nil
	}
	if err := s.AsSuperuser(ctx, statements...); err != nil {
		return fmt.Errorf("drop database: %w", err)
	}
	return nil
}

// Passwords are those by which the service and the program under test reach
// the shop's database: what must never be seen anywhere else than in their
// Secrets.
func (s *Shop) Passwords(ctx context.Context) ([]string, error) {
	monitor, err := s.password(ctx, "monitor-password")
	return []string{s.database.password, monitor}, err
}

// Role is the name of the shop's role, and of the database that it owns.
func (s *Shop) Role() string { return s.database.name }

// OwnURL is how the service reaches its database: a role that sees no session
// but its own.
func (s *Shop) OwnURL() string {
	return s.database.url(url.UserPassword(s.database.name, s.database.password))
}

// url is the database's, as pods name it.
func (d database) url(role *url.Userinfo) string {
	address := url.URL{
		Scheme: "postgres", User: role, Host: fmt.Sprintf("%s:%d", databaseHost, databasePort), Path: "/" + d.name,
		RawQuery: "sslmode=disable",
	}
	return address.String()
}

// password reads one of the server's passwords.
func (s *Shop) password(ctx context.Context, key string) (string, error) {
	secret, err := s.place.Client.Kubernetes.CoreV1().Secrets(databaseNamespace).Get(ctx, "postgres", metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("read passwords of PostgreSQL: %w", err)
	}
	return string(secret.Data[key]), nil
}

// AsSuperuser runs statements, each by itself, through the connections that
// PostgreSQL keeps back for a superuser when it is full.
func (s *Shop) AsSuperuser(ctx context.Context, statements ...string) error {
	password, err := s.password(ctx, "postgres-password")
	if err != nil {
		return err
	}
	conn, err := s.dial(ctx, url.UserPassword("postgres", password), "postgres")
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err = conn.Exec(ctx, statement); err != nil {
			break
		}
	}
	return errors.Join(err, conn.Close(ctx))
}

// dial connects through the API server, which works from anywhere.
func (s *Shop) dial(ctx context.Context, role *url.Userinfo, name string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(database{name: name}.url(role))
	if err != nil {
		return nil, errors.New("connect to PostgreSQL: the connection string makes no sense")
	}
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
		pods, err := s.place.Client.Pods(ctx, databaseNamespace, labels.SelectorFromSet(labels.Set{"app": "postgres"}))
		if err != nil {
			return nil, err
		}
		if len(pods) == 0 {
			return nil, errors.New("no pod of PostgreSQL runs")
		}
		return s.place.Client.DialPod(ctx, databaseNamespace, pods[0].Name, databasePort)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	return conn, nil
}

// Dial connects to the shop's database as the service does. A server that has
// no connection left refuses it with SQLSTATE 53300.
func (s *Shop) Dial(ctx context.Context) (*pgx.Conn, error) {
	return s.dial(ctx, url.UserPassword(s.database.name, s.database.password), s.database.name)
}
