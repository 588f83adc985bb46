package detect

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KindReport is the kind of a Report in -o json and -o yaml.
const KindReport = "DetectionReport"

// Report is what routes to a subject, an output kind.
type Report struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	// Subject is a host, or svc/NAME.
	Subject string `json:"subject"`
	// Verdict is the answer in a word, and Answer in a sentence.
	Verdict Verdict `json:"verdict"`
	Answer  string  `json:"answer"`
	// Release says which the colours are, and Origin where that comes from; ""
	// where nothing does.
	Release string `json:"release,omitempty"`
	Origin  string `json:"origin,omitempty"`
	// Discovered: nobody wrote that Release, it was concluded from the Service.
	Discovered bool `json:"discovered,omitempty"`
	// Findings are the objects, those of a kind together and in the order in
	// which they win for a host.
	Findings []Finding `json:"findings"`
	// Shadows are the requests that another object takes.
	Shadows []Shadow `json:"shadows,omitempty"`
	// Precedence is what each kind that was found promises, by kind.
	Precedence map[string]string `json:"precedence,omitempty"`
	// Unlisted could not be looked at, and may route here all the same.
	Unlisted []Unlisted `json:"unlisted,omitempty"`
	// Absent are the kinds that the cluster does not serve.
	Absent []string `json:"absent,omitempty"`
}

// Verdict is the answer in a word.
type Verdict string

// The verdicts.
const (
	// Served: a driver serves it, and both colours stand there.
	Served Verdict = "served"
	// Possible: a driver could, once the colours stand there or are named.
	Possible Verdict = "possible"
	// Impossible: something routes here, and no driver can move it.
	Impossible Verdict = "impossible"
	// Nothing that was looked at routes here.
	Nothing Verdict = "nothing"
)

// Finding is one object.
type Finding struct {
	// Object is its kind and name: httproute/shop.
	Object    string `json:"object"`
	Namespace string `json:"namespace"`
	// By are the objects that lead requests to this one.
	By []string `json:"by,omitempty"`
	// Ways are the parts of it that lead to the subject.
	Ways []Way `json:"ways,omitempty"`
	// Driver is what would move it, nil where none can; Why and Hint then say
	// why, and what to do.
	Driver *Driver `json:"driver,omitempty"`
	// Declared: it is the route of the Release.
	Declared bool    `json:"declared,omitempty"`
	Colors   *Colors `json:"colors,omitempty"`
	Why      string  `json:"why,omitempty"`
	Hint     string  `json:"hint,omitempty"`
	// Notes are what else a person should know.
	Notes []string `json:"notes,omitempty"`
}

// Way is one part of an object: which requests, and where they go.
type Way struct {
	Place string `json:"place"`
	// Hosts are empty where it takes every host.
	Hosts    []string  `json:"hosts,omitempty"`
	Match    string    `json:"match"`
	Backends []Backend `json:"backends"`
}

// Backend is where requests of a way go.
type Backend struct {
	To string `json:"to"`
	// Namespace is "" where it is the object's own.
	Namespace string `json:"namespace,omitempty"`
	Subset    string `json:"subset,omitempty"`
	Weight    int64  `json:"weight"`
}

// Driver is what would move an object.
type Driver struct {
	// Field is the one of spec.traffic.
	Field string `json:"field"`
	// Traffic is what to write under spec, as YAML.
	Traffic string `json:"traffic"`
	// Unproven: no route of this kind has been seen to move live traffic.
	Unproven bool `json:"unproven"`
}

// Standing is how many colours stand in an object.
type Standing string

// The standings.
const (
	StandBoth    Standing = "both"
	StandOne     Standing = "one"
	StandNone    Standing = "none"
	StandUnknown Standing = "unknown"
)

// Colors is whether both colours stand in an object.
type Colors struct {
	Standing Standing `json:"standing"`
	// Split is how requests are shared now, "" where no split is clear.
	Split string `json:"split,omitempty"`
	// Message is one sentence.
	Message string `json:"message"`
}

// Shadow is a part of an object whose requests another object takes.
type Shadow struct {
	// Object and Place lose the requests that Taken describes.
	Object    string `json:"object"`
	Namespace string `json:"namespace"`
	Place     string `json:"place"`
	// By and ByPlace take them, and lead them To.
	By          string   `json:"by"`
	ByNamespace string   `json:"byNamespace"`
	ByPlace     string   `json:"byPlace"`
	Hosts       string   `json:"hosts"`
	Taken       string   `json:"taken"`
	To          []string `json:"to"`
	// Why says by which rule; where none decides, Certain is false.
	Why     string `json:"why"`
	Certain bool   `json:"certain"`
}
