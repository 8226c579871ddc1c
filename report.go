package tokenkeep

// Report is what [SecretStore.Verify] or [SecretStore.Repair] found.
type Report struct {
	Tokens       int       // live tokens that can be used
	IndexSecrets int       // secrets of the index
	Scanned      bool      // the manager's own list of secrets was compared; not every manager has one
	Findings     []Finding // what is not as it should be, in no order to rely on; empty, nothing
}

// Finding is one thing that is not as it should be.
type Finding struct {
	Problem  Problem
	ID       string // of the token, if it is about one
	Secret   string // what the secret is called in the manager; may be empty
	Err      error  // the detail; it holds no credential
	Repaired bool   // Repair has put it right
}

// Problem is a kind of Finding.
type Problem string

// The problems. Repair puts those right of which it says so, and leaves the others to a person.
const (
	// Unlisted: a live token that the index does not list under all its keys, so that look-ups and listings may miss it.
	// Repair lists it.
	Unlisted Problem = "unlisted"
	// Stale: an index secret has entries, over a day old, of tokens or keys that are gone. They are harmless and go by
	// themselves one day; Repair removes them.
	Stale Problem = "stale entries"
	// Unfinished: a split of an index secret that was interrupted. It is harmless; Repair finishes it.
	Unfinished Problem = "unfinished split"
	// BrokenIndex: an index secret that is missing, cannot be understood, or was put back to a time before it was split.
	// What only it lists cannot be found. Repair rebuilds it from what is scanned.
	BrokenIndex Problem = "broken index"
	// RolledBack: somebody made an older version of a secret current by hand, past all checks. It may hold credentials that
	// have been used up since. Repair makes what it holds the newest version, so that writes go on as usual.
	RolledBack Problem = "rolled back by hand"
	// Leftovers: versions of a secret that nobody reads, of writers that ended halfway; some managers bill them. Repair
	// destroys them; Verify does not look for them.
	Leftovers Problem = "leftover versions"
	// Unusable: a secret with a name of ours that is foreign, damaged, denied or of a newer version. It is left alone.
	Unusable Problem = "unusable"
	// Stranger: a secret among ours whose name this package does not make. It is left alone.
	Stranger Problem = "stranger"
	// Twins: tokens of one identity, which two saves with IDs or two renames at the same moment can make. Look-ups answer
	// ErrAmbiguous; delete one of them.
	Twins Problem = "two tokens of one identity"
)
