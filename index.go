package tokenkeep

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// The index says which tokens may exist. It proposes, the payloads of the tokens decide: an entry only chooses what to
// read. Every token secret is listed under each of its keys; an entry without a secret, or with a key that the token no
// longer has, is harmless and skipped.
//
// It is one secret at first, i_r. One that gets too large, or is written too often, is split into fanOut children, i_r0
// to i_rf, those of i_r0 being i_r00 to i_r0f. Index secrets are never deleted.

// node is the content of an index secret:
//
//	{"tokenkeep": 1, "kind": "index", "path": "", "state": "leaf", "nonce": "…", "entries": [
//	  {"id": "1042", "u": "…", "c": "…", "d": "…", "k": ["…"], "s": "2026-01-02T15:04:05Z"}, …]}
type node struct {
	path    string // the digits after i_r in its name
	state   state
	entries entries
	writes  []time.Time // of the last day, where the manager limits them
	unknown map[string]json.RawMessage
}

// state of an index secret. It only ever goes on to the next one.
type state string

const (
	// stateLeaf: it lists tokens.
	stateLeaf state = "leaf"
	// stateSplit: its entries are frozen for ever. What is listed is in its children and, while one of those does not
	// exist, in the entries that go there.
	stateSplit state = "split"
	// stateMoved: what is listed is in its children, which exist.
	stateMoved state = "moved"
)

// after reports whether s is a later state than o.
func (s state) after(o state) bool {
	return s == stateMoved && o != stateMoved || s == stateSplit && o == stateLeaf
}

type nodeFields struct {
	header
	Path    string      `json:"path"`
	State   state       `json:"state"`
	Nonce   string      `json:"nonce"`
	Writes  []time.Time `json:"writes,omitempty"`
	Entries entries     `json:"entries"`
}

func (n *node) encode(nonce string) ([]byte, error) {
	list := n.entries
	if list == nil {
		list = entries{}
	}
	payload, err := json.Marshal(nodeFields{header{formatVersion, kindIndex}, n.path, n.state, nonce, n.writes, list})
	if err != nil {
		return nil, err
	}
	return withUnknown(payload, n.unknown)
}

// decodeNode reads the payload of the index secret with this path.
func decodeNode(path string, payload []byte) (*node, error) {
	var fields nodeFields
	unknown, err := decodePayload(payload, kindIndex, &fields, &fields.header, nodeNames)
	if err != nil {
		return nil, err
	}
	if fields.Path != path {
		return nil, fmt.Errorf("it holds another part of the index than its name says, as after a copy by hand: %w", ErrDamaged)
	}
	if !slices.Contains([]state{stateLeaf, stateSplit, stateMoved}, fields.State) {
		return nil, fmt.Errorf("its state is not known; use a newer tokenkeep: %w", ErrForeign)
	}
	return &node{path: path, state: fields.State, entries: fields.Entries, writes: fields.Writes, unknown: unknown}, nil
}

// clone returns a copy that may be changed.
func (n *node) clone() *node {
	c := *n
	c.entries = n.entries.clone()
	c.writes = slices.Clone(n.writes)
	return &c
}
