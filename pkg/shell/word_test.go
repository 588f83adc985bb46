package shell_test

import (
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/shell"
)

func TestWord(t *testing.T) {
	for word, want := range map[string]string{
		"deploy/shop.yaml": "deploy/shop.yaml", "a b": "'a b'", "it's": `'it'\''s'`, "$HOME": "'$HOME'", "~/a": "'~/a'", "": "''",
	} {
		if got := shell.Word(word); got != want {
			t.Errorf("Word(%q) = %s, expected %s", word, got, want)
		}
	}
}
