// Package plugin is the face of the product on the command line: the
// commands of kubectl bluegreen, a file each.
//
// # What a command does, and what it leaves to others
//
// A command reads its flags, finds the Release document, asks one package of
// pkg/ for a value, and renders that value. It decides nothing about a
// release: whether a check blocks, a gate fails or a rollback is proven is
// said by preflight, gate and rollout, and a command only tells it. So every
// command has the same shape: a constructor that declares the flags, and a
// method of invocation that works.
//
// # Rules of the output
//
//   - Results go to stdout, everything else (progress, warnings, errors) to
//     stderr. What stdout holds can be piped.
//   - The exit code is the same for every -o. It is carried by the error that
//     a command returns (see [ExitStatus]) and mapped once, in Run.
//   - An error is one lower-case line, "error: …", followed by "hint: …" with
//     the one thing to do about it, when somebody on the way knew it.
//   - Colour stands only on a terminal and never when NO_COLOR is set.
//     A terminal sees one live line that is rewritten in place; anything else
//     sees one line per change.
//   - Every message that leaves something to do ends with "next: …", the one
//     command to type. A command that is printed repeats the arguments that
//     said which release and which cluster: it is pasted anywhere.
//   - -o json, yaml, name, jsonpath and the templates print one object with an
//     apiVersion and a kind, through the printers that kubectl itself uses.
//
// # Start-up
//
// Nothing is connected, discovered or read from disk before a command needs
// it: kubectl runs a plugin on every completion, and a person at 3 a.m. types
// --help. The client is built by the first call of invocation.Client.
package plugin
