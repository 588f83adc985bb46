package action

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// One's own comment is found on any page, and nobody else's is taken for it.
func TestOwn(t *testing.T) {
	const mark = "<!-- bluegreen-action x -->"
	one := func(id int64, body, login, kind string) comment {
		made := comment{ID: id, Body: body}
		made.User.Login, made.User.Type = login, kind
		return made
	}
	many := make([]comment, 100)
	tests := map[string]struct {
		comments []comment
		login    string
		want     int64
	}{
		"none":                             {nil, "", 0},
		"a bot's":                          {[]comment{one(1, "hello", "ana", "User"), one(2, mark+"\nx", "github-actions[bot]", "Bot")}, "", 2},
		"on the second page":               {append(append([]comment{}, many...), one(3, mark, "github-actions[bot]", "Bot")), "", 3},
		"that of who has copied it":        {[]comment{one(4, mark, "mallory", "User")}, "", 0},
		"that of the token's own user":     {[]comment{one(4, mark, "mallory", "User"), one(5, mark, "ana", "User")}, "ana", 5},
		"that of a bot that has copied it": {[]comment{one(4, mark, "echo-service[bot]", "Bot"), one(5, mark, "github-actions[bot]", "Bot")}, "", 5},
		"another bot's alone":              {[]comment{one(4, mark, "echo-service[bot]", "Bot")}, "", 0},
		"that of the token's own app":      {[]comment{one(4, mark, "echo-service[bot]", "Bot"), one(5, mark, "release[bot]", "Bot")}, "release[bot]", 5},
		"one that quotes it further down":  {[]comment{one(6, "> "+mark, "github-actions[bot]", "Bot")}, "", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := serving(t, func(answer http.ResponseWriter, request *http.Request) {
				if request.URL.Path == "/graphql" && strings.HasSuffix(test.login, "[bot]") {
					fmt.Fprintf(answer, `{"data": {"viewer": {"login": %q}}}`, test.login)
					return
				}
				if request.URL.Path == "/user" || request.URL.Path == "/graphql" {
					if test.login == "" || strings.HasSuffix(test.login, "[bot]") {
						answer.WriteHeader(http.StatusForbidden)
						return
					}
					fmt.Fprintf(answer, `{"login": %q}`, test.login)
					return
				}
				number, err := strconv.Atoi(request.FormValue("page"))
				if err != nil {
					t.Error(err)
				}
				page := test.comments[min(len(test.comments), 100*(number-1)):]
				_ = json.NewEncoder(answer).Encode(page[:min(len(page), 100)])
			})
			got, err := c.own(t.Context(), 12, mark)
			if err != nil || got != test.want {
				t.Errorf("comment %d, %v, expected %d", got, err, test.want)
			}
		})
	}
}

// Each job has a comment of its own, and no name of a workflow ends the marker.
func TestMarker(t *testing.T) {
	around := surroundings{workflow: "-->", job: "gate"}
	check, _ := commandNamed("check")
	one := marker(around, inputs{command: check, release: "a.yaml"})
	for name, other := range map[string]string{
		"another job":     marker(surroundings{workflow: "-->", job: "x"}, inputs{command: check, release: "a.yaml"}),
		"another release": marker(around, inputs{command: check, release: "b.yaml"}),
		"another stage":   marker(around, inputs{command: check, release: "a.yaml", stage: "deploy"}),
		"one by args":     marker(around, inputs{command: check, args: []string{"-f", "a.yaml"}}),
	} {
		if other == one {
			t.Errorf("%s has the same comment", name)
		}
	}
	if marker(around, inputs{command: check, args: []string{"-f", "a.yaml"}}) == marker(around, inputs{command: check, args: []string{"-f=b.yaml"}}) {
		t.Error("two releases that the args name have the same comment")
	}
	if marker(around, inputs{command: check, release: "a.yaml", args: []string{"--to", "green"}}) != one || len(one) != len("<!-- bluegreen-action  -->")+24 {
		t.Error(one)
	}
}
