package preflight

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
)

// namesBuild matches the names of variables that say which build runs: they differ
// with every release, and say nothing that an image's tag need hold.
var namesBuild = regexp.MustCompile(`(?i)^((.*_)?((GIT|VCS|BUILD)_?(SHA|HASH|REF|REV|REVISION|COMMIT|TAG|ID|NUMBER|DATE|TIME|TIMESTAMP)|GIT_(BRANCH|DESCRIBE)|COMMIT_(SHA|HASH))|((APP|IMAGE|SOURCE)_)?(COMMIT|REVISION))$`)

// mark is a text that the version of a colour explains, and what stands for it.
type mark struct{ text, instead string }

// marksOf are the texts in values that are the version's own: the name of the
// colour, those of its Service and workloads, the labels that the other colour has
// otherwise, and the tags and digests of its images.
func marksOf(color Color, at int, other corev1.PodTemplateSpec) []mark {
	template := color.Workloads.Value[at].Template
	marks := []mark{{color.Name, "‹color›"}, {strings.ToUpper(color.Name), "‹color›"}, {color.Declared.Service, "‹service›"}}
	for index, workload := range color.Declared.Workloads {
		marks = append(marks, mark{workload.Name, fmt.Sprintf("‹workload %d›", index)})
	}
	for name, value := range template.Labels {
		if other.Labels[name] != value {
			marks = append(marks, mark{value, "‹version›"}, mark{strings.TrimPrefix(value, "v"), "‹version›"})
		}
	}
	for _, container := range template.Spec.Containers {
		image, digest, _ := strings.Cut(container.Image, "@")
		marks = append(marks, mark{digest, "‹version›"})
		if at := strings.LastIndex(image, ":"); at > strings.LastIndex(image, "/") {
			marks = append(marks, mark{image[at+1:], "‹version›"}, mark{strings.TrimPrefix(image[at+1:], "v"), "‹version›"})
		}
	}
	marks = slices.DeleteFunc(marks, func(one mark) bool { return !explains(one.text) })
	slices.SortStableFunc(marks, func(a, b mark) int { return len(b.text) - len(a.text) })
	return marks
}

// explains reports whether a text is a version or a name and not any number: a
// pool of 5 is not explained by an image of the tag 5, though a build 1432 is.
func explains(text string) bool {
	return len(text) >= 4 || len(text) > 1 && strings.ContainsFunc(text, func(letter rune) bool { return unicode.IsLetter(letter) || letter == '.' })
}

// explained is a value with what the version explains taken out.
func explained(value string, marks []mark) string {
	for _, one := range marks {
		value = replaceWord(value, one)
	}
	return value
}

// replaceWord replaces a text where it is no part of a longer word.
func replaceWord(value string, one mark) string {
	var written strings.Builder
	for {
		at := strings.Index(value, one.text)
		if at < 0 {
			written.WriteString(value)
			return written.String()
		}
		end := at + len(one.text)
		before, _ := utf8.DecodeLastRuneInString(value[:at])
		after, _ := utf8.DecodeRuneInString(value[end:])
		written.WriteString(value[:at])
		if at > 0 && isWord(before) || end < len(value) && isWord(after) {
			written.WriteString(one.text)
		} else {
			written.WriteString(one.instead)
		}
		value = value[end:]
	}
}

func isWord(letter rune) bool { return unicode.IsLetter(letter) || unicode.IsDigit(letter) }

// hashUnder hashes values under a key, without what marks explain.
func hashUnder(key []byte) func(string, []mark) string {
	return func(value string, marks []mark) string {
		sum := hmac.New(sha256.New, key)
		sum.Write([]byte(explained(value, marks)))
		return hex.EncodeToString(sum.Sum(nil)[:16])
	}
}
