//go:build !linux

package network

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// DialContext connects from inside the namespace, which only Linux has.
func (n Namespace) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, fmt.Errorf("enter namespace %s: %w", n.Name, errors.ErrUnsupported)
}
