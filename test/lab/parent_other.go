//go:build !linux

package lab

import "syscall"

// diesWithParent is for Linux, where alone a lab runs.
func diesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
