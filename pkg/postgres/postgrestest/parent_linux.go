package postgrestest

import "syscall"

// endWithParent makes the kernel end the server when the test process dies
// without its cleanups (a panic, a timeout): SIGQUIT is PostgreSQL's immediate
// shutdown.
func endWithParent(attributes *syscall.SysProcAttr) {
	attributes.Pdeathsig = syscall.SIGQUIT
}
