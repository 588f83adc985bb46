//go:build !linux

package postgrestest

import "syscall"

// endWithParent has no equivalent outside Linux: a test process that dies
// without its cleanups leaves its server behind.
func endWithParent(*syscall.SysProcAttr) {}
