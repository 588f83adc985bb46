package action

// command is one that the input command may name, a command of package plugin.
type command struct {
	name string
	// staged: it takes the input stage.
	staged bool
	// drives: it drives a run, which post looks after when it was cut off.
	drives bool
	// deploys: its run is shown as a deployment, and it succeeds where that has.
	deploys bool
}

// commands are all of them. Adding one means adding one line here.
func commands() []command {
	return []command{
		{name: "check", staged: true},
		{name: "shift", drives: true, deploys: true},
		{name: "rollback", drives: true},
		{name: "resume", drives: true, deploys: true},
		{name: "status"},
	}
}

// commandNamed is the command of a name.
func commandNamed(name string) (command, bool) {
	for _, known := range commands() {
		if known.name == name {
			return known, true
		}
	}
	return command{}, false
}
