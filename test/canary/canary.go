// Package canary finds secrets that were planted: whatever a program prints and
// keeps is searched for them, also where it is encoded.
package canary

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"regexp"
	"slices"
	"strings"
)

// encoded matches what may be base64, of three bytes at the least.
var encoded = regexp.MustCompile(`[A-Za-z0-9+/_-]{4,}={0,2}`)

// deepest is how many times a text is decoded: what is kept packs a document into
// a record, and the record into an archive.
const deepest = 4

// Find returns the indices of the canaries that a text holds, as they are, in base64
// or compressed by gzip, one within another.
func Find(text string, canaries []string) []int {
	found := map[int]bool{}
	find(text, canaries, deepest, found)
	indices := make([]int, 0, len(found))
	for index := range found {
		indices = append(indices, index)
	}
	slices.Sort(indices)
	return indices
}

func find(text string, canaries []string, depth int, found map[int]bool) {
	for index, canary := range canaries {
		if strings.Contains(text, canary) {
			found[index] = true
		}
	}
	if depth == 0 {
		return
	}
	if plain, is := unzipped(text); is {
		find(plain, canaries, depth-1, found)
		return
	}
	for _, run := range encoded.FindAllString(text, -1) {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if plain, err := encoding.DecodeString(strings.TrimRight(run, "=")); err == nil {
				find(string(plain), canaries, depth-1, found)
			}
		}
	}
}

// unzipped is what a text is that was compressed, as far as it goes: an archive may
// be kept in parts.
func unzipped(text string) (plain string, is bool) {
	reader, err := gzip.NewReader(bytes.NewReader([]byte(text)))
	if err != nil {
		return "", false
	}
	all, _ := io.ReadAll(reader)
	return string(all), len(all) > 0
}
