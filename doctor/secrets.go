package doctor

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// Secrets examines a secrets manager through its driver: that of a [tokenkeep.SecretStore] is returned by its method Secrets.
// It does nothing until the sequence is ranged over, and every range is an examination of its own. The package comment says
// what the findings are, what is written and how many calls are made.
//
// Each check and each write has a minute, the clean-up two. When ctx ends, a write that is under way is waited for, the
// checks that are left are Unknown, and the clean-up still runs; so it does where the range is left early.
func Secrets(ctx context.Context, secrets driver.Secrets) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		p := &patient{Secrets: secrets, run: strings.ToLower(rand.Text()[:10]), may: rights{}}
		exam{
			checks: []check{
				{"clock", p.clock},
				{string(toRead), p.read},
				{string(toIndex), p.index},
				{string(toHistory), p.history},
				{string(toDelete), p.remove},
				{string(toCreate), p.create},
				{string(toUpdate), p.update},
				{"race", p.race},
				{"race to create", p.raceToCreate},
				{"fresh reads", p.fresh},
				{"payload", p.payload},
				{"name", p.name},
				{string(toList), p.list},
				{"deleted", p.deleted},
			},
			clean: p.clean,
			after: p.may.findings,
		}.run(ctx, yield)
	}
}

// patient is a manager that is examined.
type patient struct {
	driver.Secrets
	run    string // random
	may    rights
	closed string // why nothing is written; empty where something is
	names  bool   // a name that is deleted stays, and may not be removed
	used   []scratch
	main   scratch // what most checks write
	rev    driver.Revision
}

// scratch is a secret of ours. It is among those of tokens, where policies let programs write, and holds none.
type scratch struct {
	id   string // what the ID of its token would be
	name string // by tokenkeep.SecretName
}

// absent returns a name that no secret has.
func (p *patient) absent(what string) scratch {
	id := fmt.Sprintf("tokenkeep doctor %s %s", p.run, what)
	return scratch{id, tokenkeep.SecretName(id)}
}

// take returns a name to write to, which will be cleaned.
func (p *patient) take(s scratch) scratch {
	p.used = append(p.used, s)
	return s
}

// fullName is what a secret is called in the manager.
func (p *patient) fullName(name string) string {
	if namer, ok := p.Secrets.(driver.Namer); ok {
		return namer.FullName(name)
	}
	return name
}

// note is a payload like no other, of a kind that stores leave alone.
func note() []byte {
	text, _ := json.Marshal(struct { // strings and numbers always marshal
		Tokenkeep int    `json:"tokenkeep"`
		Kind      string `json:"kind"`
		Nonce     string `json:"nonce"`
	}{1, "doctor", rand.Text()})
	return text
}

// put is Put, waited for. It is not begun after ctx has ended.
func (p *patient) put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	ctx, cancel := sending(ctx)
	defer cancel()
	return p.Put(ctx, name, payload, rev)
}

// holds checks that a secret has this payload, by Latest.
func (p *patient) holds(ctx context.Context, name string, payload []byte) (is bool, err error) {
	got, err := p.Latest(ctx, name)
	if errors.Is(err, driver.ErrNotFound) {
		return false, nil
	}
	return string(got.Payload) == string(payload), err
}

// writing tells why a check that writes cannot be done.
func (p *patient) writing() (why result, can bool) {
	if p.closed != "" {
		return unknown("not tried: %s", p.closed), false
	}
	return result{}, true
}
