package preflight

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// KindSnapshot is the kind of a file of facts.
const KindSnapshot = "CheckSnapshot"

const (
	// snapshotFormat is the format that is written. It is raised when what older
	// programs would read means something else.
	snapshotFormat = 1
	// largestSnapshot bounds, in bytes, what is read.
	largestSnapshot = 256 << 20
)

// snapshot is a file of facts.
type snapshot struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Format     int    `json:"format"`
	// SHA256 of the facts as compact JSON tells damage. It is no signature.
	SHA256 string          `json:"sha256"`
	Facts  json.RawMessage `json:"facts"`
}

// Save writes facts such that Load reads the same ones, without what may be a
// secret: values of variables, arguments, commands, headers and annotations are
// replaced by a hash under a key that nobody keeps, so that equal ones are still
// seen to be equal within the file, and what looks like a secret elsewhere is
// taken out. Names of variables, images, numbers and labels stay.
func Save(out io.Writer, facts *Facts) error {
	text, err := encode(facts)
	if err != nil {
		return fmt.Errorf("save facts: %w", err)
	}
	var tree map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return fmt.Errorf("save facts: %w", err)
	}
	key := make([]byte, sha256.Size)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("save facts: %w", err)
	}
	if text, err = encode(withoutSecrets(tree, key)); err != nil {
		return fmt.Errorf("save facts: %w", err)
	}
	whole, err := encode(snapshot{APIVersion: release.APIVersion, Kind: KindSnapshot, Format: snapshotFormat, SHA256: digest(text), Facts: text})
	if err != nil {
		return fmt.Errorf("save facts: %w", err)
	}
	_, err = out.Write(whole)
	return err
}

// Load reads facts that Save wrote. What was damaged, what a newer program wrote,
// and what holds a fact that this program doesn't know is refused. A fact that
// an older program did not collect is not known.
func Load(in io.Reader) (*Facts, error) {
	text, err := io.ReadAll(io.LimitReader(in, largestSnapshot+1))
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	if len(text) > largestSnapshot {
		return nil, fmt.Errorf("read snapshot: it is larger than %d MiB", largestSnapshot>>20)
	}
	var saved snapshot
	if err := json.Unmarshal(text, &saved); err != nil {
		return nil, damaged(fmt.Errorf("read snapshot: it is no whole JSON: %w", err))
	}
	switch {
	case saved.APIVersion != release.APIVersion || saved.Kind != KindSnapshot:
		return nil, release.WithHint(fmt.Errorf("read snapshot: it is no %s of %s", KindSnapshot, release.APIVersion), "write one with: kubectl bluegreen check --save FILE")
	case saved.Format > snapshotFormat:
		return nil, release.WithHint(fmt.Errorf("read snapshot: its format %d is newer than the %d that this program reads", saved.Format, snapshotFormat), "read it with the version that wrote it, or a newer one")
	case saved.Format < 1:
		return nil, damaged(errors.New("read snapshot: it says no format"))
	case digest(saved.Facts) != saved.SHA256:
		return nil, damaged(errors.New("read snapshot: its facts are not those that were saved: the SHA-256 differs"))
	}
	facts := &Facts{}
	if err := strictly(saved.Facts, facts); err != nil {
		return nil, release.WithHint(fmt.Errorf("read snapshot: %w", err), "read it with the version that wrote it")
	}
	if facts.Release == nil {
		return nil, damaged(errors.New("read snapshot: it holds no Release"))
	}
	return facts, nil
}

// WithoutSecrets are facts as Load reads them after Save, so that what is made
// out of them tells no secret, and the same as of saved ones.
func WithoutSecrets(facts *Facts) (*Facts, error) {
	var saved bytes.Buffer
	if err := Save(&saved, facts); err != nil {
		return nil, err
	}
	return Load(&saved)
}

func damaged(err error) error {
	return release.WithHint(err, "the file was damaged or edited: save it again with kubectl bluegreen check --save FILE")
}

// digest is the SHA-256 of JSON, however it is laid out.
func digest(text []byte) string {
	var compact bytes.Buffer
	if json.Compact(&compact, text) != nil {
		return ""
	}
	sum := sha256.Sum256(compact.Bytes())
	return hex.EncodeToString(sum[:])
}

// encode is compact JSON that leaves <, > and & as they are.
func encode(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
