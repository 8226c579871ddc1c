package gcpsm

import (
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/driver/drivertest"
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
	"github.com/tokenkeep/tokenkeep/storetest"
)

func conform(t *testing.T, parent string, opts ...gcpsmtest.Option) {
	client := clientOf(t, startServer(t, opts...))
	drivertest.Run(t, func(t *testing.T) func() driver.Secrets {
		prefix := freshPrefix()
		return func() driver.Secrets { return newDriver(t, client, parent, Options{Prefix: prefix}) }
	})
}

func TestDriver(t *testing.T) {
	t.Run("of regional secrets", func(t *testing.T) { conform(t, regional) })
	t.Run("of global secrets", func(t *testing.T) { conform(t, global) })
	t.Run("where a wrong etag is ABORTED", func(t *testing.T) { conform(t, regional, gcpsmtest.WithMismatchCode(codes.Aborted)) })
	t.Run("where lists have short pages", func(t *testing.T) {
		conform(t, regional, gcpsmtest.WithPageSize(2), gcpsmtest.WithSecretsNewestFirst())
	})
}

func TestStore(t *testing.T) {
	client := clientOf(t, startServer(t))
	storetest.Run(t, func(t *testing.T) func() tokenkeep.Store {
		prefix := freshPrefix()
		return func() tokenkeep.Store { return newStore(t, client, regional, Options{Prefix: prefix}) }
	}, storetest.Limits{})
}
