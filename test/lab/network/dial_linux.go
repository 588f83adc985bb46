package network

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// DialContext connects from inside the namespace, whatever namespace the
// caller is in. The address must be an IP address and a port.
func (n Namespace) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	type result struct {
		connection net.Conn
		err        error
	}
	done := make(chan result, 1)
	go func() {
		// The thread is never unlocked: it ends with this goroutine, and no
		// other one can find itself in the wrong namespace.
		runtime.LockOSThread()
		if err := n.enter(); err != nil {
			done <- result{err: err}
			return
		}
		connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
		done <- result{connection, err}
	}()
	r := <-done
	return r.connection, r.err
}

// enter moves the current thread into the namespace.
func (n Namespace) enter() error {
	file, err := os.Open(n.Path())
	if err != nil {
		return fmt.Errorf("enter namespace %s: %w", n.Name, err)
	}
	defer func() { _ = file.Close() }()
	if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter namespace %s: %w", n.Name, err)
	}
	return nil
}
