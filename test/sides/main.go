// Command sides runs a test binary several times side by side, each time with
// its own part of the tests. Tests that need a cluster wait most of their time:
// for leases, for deadlines, for watches. Two labs on two cores take little more
// than half as long as one.
//
//	sides --heavy=TestFaults --late=TestMesh -- bin/e2e.test -test.v -test.timeout=60m
//
// What is late runs by itself behind the side that ends first: by then what it
// needs may have been prepared, which nobody else has waited for.
//
// A machine on which several labs share a core or two can be too slow for a test
// that waits for a window of measurements. So the few tests that failed are run
// once more, by themselves on a machine that has nothing else to do. What fails
// there has failed; what passes is told at the end with what it said before. A test
// that says that the product has broken a promise (package promise) is never run
// again: a fence that holds every second time does not hold.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run deals the tests out, and waits for all sides.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("sides", flag.ContinueOnError)
	count := flags.Int("sides", 2, "how many run at once")
	heavy := flags.String("heavy", "", "tests that keep the machine busy, separated by commas: they run on one side, one after another")
	late := flags.String("late", "", "tests that are run last, together, where a side ends first, separated by commas")
	without := flags.String("without", "", "tests that are left to others, separated by commas")
	folder := flags.String("dir", ".", "the folder that the binary runs in")
	again := flags.Int("again", 5, "how many failed tests at most are run once more, by themselves")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *count < 1 || flags.NArg() == 0 {
		return errors.New("read arguments: expected --sides of 1 at least, and the test binary")
	}
	tests, err := list(ctx, *folder, flags.Arg(0))
	if err != nil {
		return err
	}
	if tests, _, err = part(tests, split(*without), "without"); err != nil {
		return err
	}
	tests, last, err := part(tests, split(*late), "late")
	if err != nil {
		return err
	}
	hands, err := deal(tests, split(*heavy), *count)
	if err != nil {
		return err
	}
	played := &game{folder: *folder, binary: flags.Args(), shared: &lines{out: out}}
	beside, err := played.sides(ctx, hands, last)
	for _, one := range beside {
		one.tell(out, "failed: ")
	}
	names, broken := names(beside)
	switch {
	case len(broken) > 0:
		return errors.Join(err, fmt.Errorf("a promise was broken, which is not tried again: %s", strings.Join(broken, ", ")))
	case err != nil && repeatable(err) && len(names) > 0 && len(names) <= *again:
		return played.alone(ctx, names, out)
	}
	return err
}

// game is how a test binary is run, and where its lines go.
type game struct {
	folder string
	binary []string
	shared *lines
}

// sides runs every hand at once, and what is last behind the one that ends first.
func (g *game) sides(ctx context.Context, hands [][]string, last []string) ([]*failed, error) {
	failures, seen := make([]error, len(hands)), make([]*failed, len(hands))
	var sides sync.WaitGroup
	var first sync.Once
	for i, hand := range hands {
		seen[i] = &failed{last: map[string][]string{}}
		sides.Go(func() {
			its := &prefixed{to: g.shared, prefix: fmt.Sprintf("%d| ", i+1), seen: seen[i]}
			failures[i] = side(ctx, g.folder, g.binary, hand, its)
			first.Do(func() {
				if len(last) > 0 {
					failures[i] = errors.Join(failures[i], side(ctx, g.folder, g.binary, last, its))
				}
			})
		})
	}
	sides.Wait()
	return seen, errors.Join(failures...)
}

// alone runs tests once more with nothing beside them, and says which pass.
func (g *game) alone(ctx context.Context, tests []string, out io.Writer) error {
	fmt.Fprintf(out, "once more, alone: %s\n", strings.Join(tests, ", "))
	seen := &failed{last: map[string][]string{}}
	err := side(ctx, g.folder, g.binary, tests, &prefixed{to: g.shared, prefix: "a| ", seen: seen})
	seen.tell(out, "failed again: ")
	if err == nil {
		fmt.Fprintf(out, "failed beside others and passed alone: %s\n", strings.Join(tests, ", "))
	}
	return err
}

// names are the tests of all sides that failed, each once, without their parts, and
// those that say that a promise was broken.
func names(sides []*failed) (tests, broken []string) {
	for _, one := range sides {
		broken = append(broken, one.broken...)
		for _, name := range one.names {
			if test, _, _ := strings.Cut(name, "/"); !slices.Contains(tests, test) {
				tests = append(tests, test)
			}
		}
	}
	return tests, broken
}

// repeatable reports whether tests failed, and nothing else did. A binary that
// panicked, was too slow as a whole or was killed ends otherwise, and leaves tests
// that nobody ran.
func repeatable(err error) bool {
	const testsFailed = 1
	joined, several := err.(interface{ Unwrap() []error })
	if several {
		return !slices.ContainsFunc(joined.Unwrap(), func(one error) bool { return !repeatable(one) })
	}
	var ended *exec.ExitError
	return errors.As(err, &ended) && ended.ExitCode() == testsFailed
}

// list asks the binary for its tests.
func list(ctx context.Context, folder, binary string) ([]string, error) {
	command := exec.CommandContext(ctx, binary, "-test.list=^Test")
	command.Dir, command.Stderr = folder, os.Stderr
	text, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("list the tests of %s: %w", binary, err)
	}
	var tests []string
	for name := range strings.FieldsSeq(string(text)) {
		if strings.HasPrefix(name, "Test") {
			tests = append(tests, name)
		}
	}
	if len(tests) == 0 {
		return nil, fmt.Errorf("list the tests of %s: there are none", binary)
	}
	return tests, nil
}

// part takes the tests that a flag names out of all, each of which must be one of
// them, and not all of them.
func part(tests, named []string, flag string) (rest, taken []string, err error) {
	for _, name := range named {
		if !slices.Contains(tests, name) {
			return nil, nil, fmt.Errorf("read --%s: there is no test %s", flag, name)
		}
	}
	for _, name := range tests {
		if slices.Contains(named, name) {
			taken = append(taken, name)
		} else {
			rest = append(rest, name)
		}
	}
	if len(rest) == 0 {
		return nil, nil, fmt.Errorf("read --%s: that is every test", flag)
	}
	return rest, taken, nil
}

// heaviness is how many other tests a heavy one takes as long as, about.
const heaviness = 8

// deal gives the heavy tests to the first side, so that no two of them are run
// at once, and each other one to the side that has the least. Every test is
// dealt out once.
func deal(tests, heavy []string, sides int) ([][]string, error) {
	for _, name := range heavy {
		if !slices.Contains(tests, name) {
			return nil, fmt.Errorf("read --heavy: there is no test %s", name)
		}
	}
	hands, loads := make([][]string, min(sides, len(tests))), make([]int, min(sides, len(tests)))
	for _, name := range tests {
		if slices.Contains(heavy, name) {
			hands[0], loads[0] = append(hands[0], name), loads[0]+heaviness
		}
	}
	for _, name := range tests {
		if slices.Contains(heavy, name) {
			continue
		}
		least := slices.Index(loads, slices.Min(loads))
		hands[least], loads[least] = append(hands[least], name), loads[least]+1
	}
	return slices.DeleteFunc(hands, func(hand []string) bool { return len(hand) == 0 }), nil
}

func split(names string) []string {
	if names == "" {
		return nil
	}
	return strings.Split(names, ",")
}

// side runs one part. An interrupt is passed on, so that a lab is taken down.
func side(ctx context.Context, folder string, binary, tests []string, out *prefixed) error {
	args := append([]string{"-test.run=^(" + strings.Join(tests, "|") + ")$"}, binary[1:]...)
	command := exec.CommandContext(ctx, binary[0], args...)
	command.Dir, command.Stdout, command.Stderr = folder, out, out
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 2 * time.Minute
	err := command.Run()
	out.flush()
	if err != nil {
		return fmt.Errorf("side %s%w", out.prefix, err)
	}
	return nil
}

// lines is where whole lines go.
type lines struct {
	mutex sync.Mutex
	out   io.Writer
}

// prefixed writes whole lines, each after whose it is.
type prefixed struct {
	to     *lines
	prefix string
	seen   *failed
	rest   strings.Builder
}

// Write implements io.Writer. One process writes at a time.
func (p *prefixed) Write(text []byte) (int, error) {
	p.rest.Write(text)
	held := p.rest.String()
	last := strings.LastIndexByte(held, '\n') + 1
	p.rest.Reset()
	p.rest.WriteString(held[last:])
	return len(text), p.pass(held[:last])
}

// flush writes a last line that has no end.
func (p *prefixed) flush() {
	_ = p.pass(p.rest.String())
	p.rest.Reset()
}

func (p *prefixed) pass(text string) error {
	p.to.mutex.Lock()
	defer p.to.mutex.Unlock()
	scanner := bufio.NewScanner(strings.NewReader(text))
	scanner.Buffer(nil, len(text)+1)
	for scanner.Scan() {
		p.seen.read(scanner.Text())
		if _, err := fmt.Fprintln(p.to.out, p.prefix+scanner.Text()); err != nil {
			return err
		}
	}
	return scanner.Err()
}
