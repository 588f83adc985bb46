package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"

	"github.com/jackc/pgx/v5/pgproto3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The Secrets with the connection string of the observer: the shop's own, and
// the one that leads over the suite's way.
const (
	observerSecret = "bluegreen-monitor"
	brokenSecret   = "bluegreen-monitor-by-a-link"
	secretKey      = "url"
)

// openPostgreSQL opens the way to PostgreSQL, which the program is told by a
// Secret, and makes it take that way.
func (s *Suite) openPostgreSQL(ctx context.Context) error {
	secrets := s.setting.Place.Client.Kubernetes.CoreV1().Secrets(s.setting.Shop.Namespace)
	own, err := secrets.Get(ctx, observerSecret, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("open the way to PostgreSQL: %w", err)
	}
	address, err := url.Parse(string(own.Data[secretKey]))
	if err != nil {
		return errors.New("open the way to PostgreSQL: the Secret holds no URL") // the cause quotes it
	}
	if s.postgresql, err = newLink("postgresql", address.Host); err != nil {
		return err
	}
	s.closers = append(s.closers, s.postgresql.close)
	address.Host = s.postgresql.address()
	other := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: brokenSecret}, StringData: map[string]string{secretKey: address.String()}}
	if _, err := secrets.Create(ctx, other, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("open the way to PostgreSQL: %w", err)
	}
	return s.setting.Shop.ChangeRelease(func(document *release.Release) {
		document.Spec.Databases[0].Observe.Via = release.ViaDirect
		document.Spec.Databases[0].Observe.DSN.SecretKeyRef.Name = brokenSecret
	})
}

// onPostgreSQL breaks the way to PostgreSQL.
func onPostgreSQL(breaks func(*link, context.Context) (func(context.Context) error, error)) begin {
	return func(ctx context.Context, suite *Suite) (func(context.Context) error, error) {
		return breaks(suite.postgresql, ctx)
	}
}

// impostor puts another server in PostgreSQL's place, which answers every
// connection in one way and closes it.
func impostor(answer func(net.Conn) error) begin {
	return func(ctx context.Context, suite *Suite) (func(context.Context) error, error) {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("start an impostor: %w", err)
		}
		go serve(listener, answer)
		back, err := suite.postgresql.redirect(listener.Addr().String())
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		return func(ctx context.Context) error { return errors.Join(back(ctx), listener.Close()) }, nil
	}
}

// serve answers until the listener is closed.
func serve(listener net.Listener, answer func(net.Conn) error) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			// A client that has gone has nobody to tell.
			_ = answer(connection)
			_ = connection.Close()
		}()
	}
}

// garbage is what a server of something else says.
func garbage(connection net.Conn) error {
	_, err := io.WriteString(connection, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
	return err
}

// refusal takes the start-up message, as PostgreSQL does, and turns it down.
func refusal(code, message string) func(net.Conn) error {
	return func(connection net.Conn) error {
		server := pgproto3.NewBackend(connection, connection)
		if _, err := server.ReceiveStartupMessage(); err != nil {
			return err
		}
		server.Send(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: code, Message: message})
		return server.Flush()
	}
}
