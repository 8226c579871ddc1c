package awssm

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/driver"
)

// swap makes payload the value that follows base, the version that was read.
//
// In one call the new version goes into the place after base, where there is room for one, and is current at once. In
// two steps it is added under a label of its own, and becomes current by a call that moves AWSCURRENT from base and
// fails where that label is not there. A secret that was once written in two steps is always written so.
//
// Everybody who may write in one call must find the place after the version that he read taken, once something else is
// current. So where two steps begin on a version that has such a place, a placeholder goes into it first.
type swap struct {
	*secrets
	name    string
	payload []byte
	label   string // for the new version, beside AWSCURRENT; "" is none
	base    revision
	a       *attempts // of the call that makes the payload current
	stuck   bool      // base was seen to stay current although its place is taken
}

// pendingStage is on a version that is to become current, and stays there until the next one takes it over. There is
// one such label for all, so that nothing adds up where writers die: a secret has 20.
const pendingStage = "tokenkeep-pending"

// placeholder is in the place of a version that nobody may write any more. It never becomes current, except by hand.
var placeholder = []byte(`{"tokenkeep": 1, "kind": "placeholder"}`)

// places bounds how many places are tried after one version.
const places = 200

var errNoRoom = fmt.Errorf("%d versions after the current one are taken, as after moving AWSCURRENT back very far; "+
	"move it to the newest version, or delete the secret and save again: %w", places, driver.ErrDamaged)

func (w *swap) run(ctx context.Context) (driver.Revision, error) {
	if w.base.staged() {
		return w.inTwoSteps(ctx)
	}
	taken, err := w.takePlace(ctx)
	switch {
	case err != nil:
		return "", w.failed(ctx, "PutSecretValue", err)
	case !taken && !w.twoStep:
		return w.base.successor().encode(), nil
	case taken:
		if rev, err := w.outcome(ctx); err != nil || rev != "" {
			return rev, err
		}
		if err := w.closeLine(ctx); err != nil {
			return "", err
		}
	}
	return w.inTwoSteps(ctx)
}

// takePlace puts the value into the place after base, or a placeholder if the value is to follow in two steps.
func (w *swap) takePlace(ctx context.Context) (taken bool, err error) {
	version := w.base.successor().version
	if w.twoStep {
		_, err = w.put(ctx, version, placeholder, w.a.aside(), pendingStage)
		return exists(err), unlessExists(err)
	}
	if w.label == "" {
		_, err = w.put(ctx, version, w.payload, w.a)
		return exists(err), unlessExists(err)
	}
	labels, err := w.put(ctx, version, w.payload, w.a, currentStage, w.label)
	return err == nil && !slices.Contains(labels, currentStage) || exists(err), unlessExists(err)
}

// put adds a version under labels, without any as AWSCURRENT, and returns the labels that it has then. If these are
// others, the version was there before: a request sent again does nothing.
func (w *swap) put(ctx context.Context, version string, payload []byte, a *attempts, labels ...string) ([]string, error) {
	out, err := w.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId:           aws.String(w.base.arn),
		ClientRequestToken: aws.String(version),
		SecretString:       aws.String(string(payload)),
		VersionStages:      labels,
	}, a.option)
	if err != nil {
		return nil, err
	}
	return out.VersionStages, nil
}

// stalePauses are the waits before AWSCURRENT is read again, as a read may be answered from before a write.
var stalePauses = []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond}

// outcome decides what it means that a place after base is taken. As a rule somebody else was faster: that is a
// conflict. Or this very put was sent before: then outcome returns its revision.
//
// If AWSCURRENT still is base, nobody was: it was moved back by hand, or a writer died between two steps. Then outcome
// returns neither, and the caller takes another place.
func (w *swap) outcome(ctx context.Context) (driver.Revision, error) {
	for i := 0; ; i++ {
		v, err := w.value(ctx, w.base.arn, w.reads())
		if err != nil && !absent(err) {
			return "", w.fail(ctx, "GetSecretValue", w.name, w.a, err)
		}
		if v.follows(w.base) && bytes.Equal(v.payload, w.payload) {
			return v.encode(), nil
		}
		if v.revision != w.base {
			return "", w.conflict("PutSecretValue", w.name, w.a, "the secret changed since it was read")
		}
		if w.stuck || i == len(stalePauses) {
			w.stuck = true
			return "", nil
		}
		if err := w.pause(ctx, stalePauses[i]); err != nil {
			return "", w.fail(ctx, "GetSecretValue", w.name, w.a, err)
		}
	}
}

// closeLine puts a placeholder into the first free place of the line that begins after base, whose own place is taken: the
// place that a writer would take who has read the newest version, from which AWSCURRENT was moved away.
func (w *swap) closeLine(ctx context.Context) error {
	next := w.base.successor()
	for range places {
		next = next.successor()
		_, err := w.put(ctx, next.version, placeholder, w.a.aside(), pendingStage)
		if !exists(err) {
			return w.failed(ctx, "PutSecretValue", err)
		}
	}
	return w.errorOf("PutSecretValue", w.name, w.a, errNoRoom)
}

// inTwoSteps adds the version and moves AWSCURRENT to it.
func (w *swap) inTwoSteps(ctx context.Context) (driver.Revision, error) {
	labels := []string{pendingStage}
	if w.label != "" {
		labels = append(labels, w.label)
	}
	for n := range places {
		next := w.base.stagedSuccessor(n)
		now, err := w.put(ctx, next.version, w.payload, w.a.aside(), labels...)
		switch {
		case err == nil && (w.label == "" || slices.Contains(now, w.label)):
			return w.move(ctx, next)
		case unlessExists(err) != nil:
			return "", w.failed(ctx, "PutSecretValue", err)
		}
		if rev, err := w.outcome(ctx); err != nil || rev != "" {
			return rev, err
		}
	}
	return "", w.errorOf("PutSecretValue", w.name, w.a, errNoRoom)
}

// move makes next current if base still is.
func (w *swap) move(ctx context.Context, next revision) (driver.Revision, error) {
	_, err := w.client.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId:            aws.String(w.base.arn),
		VersionStage:        aws.String(currentStage),
		MoveToVersionId:     aws.String(next.version),
		RemoveFromVersionId: aws.String(w.base.version),
	}, w.a.option)
	switch {
	case err == nil:
		return next.encode(), nil
	case !misplaced(err):
		return "", w.failed(ctx, "UpdateSecretVersionStage", err)
	}
	w.stuck = false // reads may be older than this refusal
	rev, conflict := w.outcome(ctx)
	if rev == "" && conflict == nil {
		conflict = w.conflict("UpdateSecretVersionStage", w.name, w.a, fmt.Sprintf("AWSCURRENT cannot be moved (%v)", withoutOperation(err)))
	}
	return rev, conflict
}

// failed makes the error of the put out of that of a call, if there is one.
func (w *swap) failed(ctx context.Context, op string, err error) error {
	switch {
	case err == nil:
		return nil
	case absent(err):
		return w.conflict(op, w.name, w.a, "the secret was deleted since it was read")
	}
	return w.fail(ctx, op, w.name, w.a, err)
}
