package localstack_test

import (
	"fmt"
	"slices"
	"strings"
)

// state is what DescribeSecret shows of a secret, and one thing about moto that it does not show.
type state struct {
	deleted     bool
	description string
	tags        int
	stages      map[string][]string // by version
	motoDefault string              // the version that moto takes for the current one
}

// holder returns the version that has a label, or "".
func (s state) holder(label string) string {
	for version, labels := range s.stages {
		if slices.Contains(labels, label) {
			return version
		}
	}
	return ""
}

// state reads the answer to DescribeSecret.
func (a answer) state() state {
	now := state{stages: map[string][]string{}}
	for _, line := range a.lines {
		switch what, rest, _ := strings.Cut(line, " "); what {
		case "scheduled":
			now.deleted = true
		case "description":
			now.description = rest
		case "tags":
			now.tags = len(strings.Fields(rest))
		case "version":
			version, labels, _ := strings.Cut(rest, ":")
			now.stages[version] = strings.Fields(labels)
		}
	}
	return now
}

// answers are those of the two servers to one call.
type answers struct{ moto, own answer }

// observed is one call with what came of it.
type observed struct {
	call
	states map[string]state // before the call
	before state            // of the secret of the call
	exists bool             // before the call
	answers
	after answers // DescribeSecret after a call that may have changed the secret
}

// changed says whether the call may have changed its secret. What both refuse alike is taken to have changed nothing; if it
// did, later calls show it.
func (o observed) changed() bool {
	return o.changes() && (o.moto.code == "" || o.moto.code != o.own.code)
}

func (o observed) differ() bool {
	return !o.moto.equal(o.own) || !o.after.moto.equal(o.after.own)
}

func (o observed) String() string {
	text := fmt.Sprintf("%v\n  moto %v\n  own  %v", o.call, o.moto, o.own)
	if !o.after.moto.equal(o.after.own) {
		text += fmt.Sprintf("\n  and then moto shows %v\n           own shows  %v", o.after.moto, o.after.own)
	}
	return text
}

// makesCurrent says whether a call has a version for AWSCURRENT.
func (o observed) makesCurrent() bool {
	switch o.Action {
	case "PutSecretValue":
		return o.Stages == nil || slices.Contains(o.Stages, current)
	case "UpdateSecret":
		return o.Value != ""
	}
	return false
}

// labelsAfter counts the labels that a secret would have after a call.
func (o observed) labelsAfter() int {
	labels := slices.Clone(o.Stages)
	if o.Stage != "" {
		labels = append(labels, o.Stage)
	}
	switch {
	case o.before.holder(current) == "":
		labels = append(labels, current)
	case o.makesCurrent():
		labels = append(labels, "AWSPREVIOUS")
	}
	for _, attached := range o.before.stages {
		labels = append(labels, attached...)
	}
	slices.Sort(labels)
	return len(slices.Compact(labels))
}
