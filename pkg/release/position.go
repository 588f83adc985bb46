package release

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Position is where something stands in a file.
type Position struct {
	// File is the name of the file as the user gave it.
	File string `json:"file"`
	// Line and Column count from 1.
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Positions are those of the fields of one object, by their paths, such as
// spec.traffic.steps[0].hold. The object itself has the path "".
type Positions map[string]Position

// PositionsOf are the positions of what a node holds. offset is the number of
// lines in the file before the text that the node was read from. Aliases are
// not followed: what they stand for is written elsewhere.
func PositionsOf(file string, root *yaml.Node, offset int) Positions {
	found := Positions{}
	found.add(file, "", root, offset)
	return found
}

func (p Positions) add(file, field string, node *yaml.Node, offset int) {
	p[field] = Position{File: file, Line: node.Line + offset, Column: node.Column}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			p.add(file, join(field, node.Content[i].Value), node.Content[i+1], offset)
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			p.add(file, fmt.Sprintf("%s[%d]", field, i), item, offset)
		}
	}
}

// Nearest is the position of a field, or of the nearest one around it that was
// written; found is false when nothing is known of the object.
func (p Positions) Nearest(field string) (position Position, found bool) {
	for {
		if position, found = p[field]; found || field == "" {
			return position, found
		}
		field = parent(field)
	}
}

// Positions are those of all that is written in the document.
func (l *Loaded) Positions() Positions { return PositionsOf(l.Path, l.source.root, 0) }
