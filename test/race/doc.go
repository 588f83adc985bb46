// Package race lets processes of the program race for one release, and has the
// API server's audit log judge what they wrote.
//
// In a race a process that drives a run is put to sleep (SIGSTOP) at some
// moment, or while a write of it is on its way, until others may believe that
// it is gone; it is woken (SIGCONT) before they take the run over, while they
// do, or after. Those others are one or two operators who resume or roll back
// at once, or a guard. What a write on its way becomes is left to the moment at
// which it is let go. All moments are drawn from a seed ([Draw]), so that a race
// can be held again; but for the machine's own pace.
//
// Every process of a race logs in as somebody else, so that the log can tell
// them apart. Afterwards somebody who had no part in it brings the run to its
// end, and then the rules of package audit must hold, one colour must serve
// whole, the route must never have selected nothing, no client may have noticed,
// and nothing may be left that a person would have to take away before the next
// shift.
package race
