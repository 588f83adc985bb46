package lab

import "syscall"

// diesWithParent lets the kernel end a process when the one that started it
// has ended, even if that was killed.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
