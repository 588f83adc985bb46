package workflows

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
)

// TestMain lets the tests' own program stand in for GitHub's, where it is called gh.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "gh" {
		os.Exit(m.Run())
	}
	if err := gh(os.Getenv("FOLDER"), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// standIn has scripts find the stand-in, over a folder with these files.
func standIn(t *testing.T, files map[string]string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(folder, "gh")); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	return folder
}

// gh does what scripts ask it for, and refuses all else. Of the folder it lists what
// issues.json and releases.json hold; each call is kept in calls, and the body of an
// issue in body.
func gh(folder string, args []string) error {
	// What a list selects is done; the rest is for the test to look at.
	told, _, _ := strings.Cut(strings.Join(args, " "), " --json ")
	if err := add(filepath.Join(folder, "calls"), told+"\n"); err != nil {
		return err
	}
	switch call := strings.Join(args[:min(2, len(args))], " "); call {
	case "issue list", "release list":
		return list(filepath.Join(folder, args[0]+"s.json"), args[2:])
	case "issue create":
		return create(folder, args[2:])
	case "release create":
		return nil
	default:
		return fmt.Errorf("unknown command %q", call)
	}
}

// list prints what a filter makes of the objects of a file that are asked for, of
// which it sees the fields that are.
func list(path string, args []string) error {
	flags := flag.NewFlagSet("list", flag.ContinueOnError)
	_ = flags.String("repo", "", "")
	state, limit := flags.String("state", "", ""), flags.Int("limit", 30, "")
	final := flags.Bool("exclude-pre-releases", false, "")
	fields, filter := flags.String("json", "", ""), flags.String("jq", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var all []map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	listed := []any{}
	for _, one := range all {
		if *state != "" && !strings.EqualFold(*state, fmt.Sprint(one["state"])) || *final && one["isPrerelease"] == true || len(listed) == *limit {
			continue
		}
		for name := range one {
			if !slices.Contains(strings.Split(*fields, ","), name) {
				delete(one, name)
			}
		}
		listed = append(listed, one)
	}
	parsed, err := gojq.Parse(*filter)
	if err != nil {
		return err
	}
	code, err := gojq.Compile(parsed, gojq.WithEnvironLoader(os.Environ))
	if err != nil {
		return err
	}
	for values := code.Run(listed); ; {
		value, more := values.Next()
		if failure, failed := value.(error); !more || failed {
			return failure
		}
		fmt.Println(value)
	}
}

// create opens an issue as a workflow's token does.
func create(folder string, args []string) error {
	flags := flag.NewFlagSet("create", flag.ContinueOnError)
	_ = flags.String("repo", "", "")
	title, body := flags.String("title", "", ""), flags.String("body-file", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *body != "-" {
		return errors.New("the body is not read from the standard input")
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	path := filepath.Join(folder, "issues.json")
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	issue, err := json.Marshal(map[string]any{"title": *title, "state": "OPEN", "author": map[string]any{"is_bot": true, "login": "app/github-actions"}})
	if err != nil {
		return err
	}
	after := strings.TrimSuffix(strings.TrimSpace(string(before)), "]") + "," + string(issue) + "]"
	return errors.Join(os.WriteFile(path, []byte(after), 0o600), add(filepath.Join(folder, "body"), string(text)))
}

// add adds a text to a file.
func add(path, text string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}
