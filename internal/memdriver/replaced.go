package memdriver

import (
	"context"
	"iter"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Replaced is a Secrets of which some methods are others: those for which there is a function.
type Replaced struct {
	*Secrets
	GetBy     func(ctx context.Context, name string) (driver.Secret, error)
	LatestBy  func(ctx context.Context, name string) (driver.Secret, error)
	GetManyBy func(ctx context.Context, names []string) (map[string]driver.Secret, error)
	PutBy     func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error)
	DeleteBy  func(ctx context.Context, name string) error
	ListBy    func(ctx context.Context) iter.Seq2[string, error]
}

// Get is GetBy, if it is set.
func (r *Replaced) Get(ctx context.Context, name string) (driver.Secret, error) {
	if r.GetBy != nil {
		return r.GetBy(ctx, name)
	}
	return r.Secrets.Get(ctx, name)
}

// Latest is LatestBy, if it is set.
func (r *Replaced) Latest(ctx context.Context, name string) (driver.Secret, error) {
	if r.LatestBy != nil {
		return r.LatestBy(ctx, name)
	}
	return r.Secrets.Latest(ctx, name)
}

// GetMany is GetManyBy, if it is set.
func (r *Replaced) GetMany(ctx context.Context, names []string) (map[string]driver.Secret, error) {
	if r.GetManyBy != nil {
		return r.GetManyBy(ctx, names)
	}
	return r.Secrets.GetMany(ctx, names)
}

// Put is PutBy, if it is set.
func (r *Replaced) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	if r.PutBy != nil {
		return r.PutBy(ctx, name, payload, rev)
	}
	return r.Secrets.Put(ctx, name, payload, rev)
}

// Delete is DeleteBy, if it is set.
func (r *Replaced) Delete(ctx context.Context, name string) error {
	if r.DeleteBy != nil {
		return r.DeleteBy(ctx, name)
	}
	return r.Secrets.Delete(ctx, name)
}

// List is ListBy, if it is set.
func (r *Replaced) List(ctx context.Context) iter.Seq2[string, error] {
	if r.ListBy != nil {
		return r.ListBy(ctx)
	}
	return r.Secrets.List(ctx)
}
