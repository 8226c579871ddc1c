package driver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
)

func TestEach(t *testing.T) {
	fails := func(name string, err error) error { return &driver.Error{Op: "Read", Name: name, Err: err} }
	tests := []struct {
		name  string
		fault error // of the first name
		found int
		read  func(n int) bool // how many names are asked for
	}{
		{"all are there", nil, 50, func(n int) bool { return n == 50 }},
		{"one is absent", driver.ErrNotFound, 49, func(n int) bool { return n == 50 }},
		{"one is denied", driver.ErrPermission, 49, func(n int) bool { return n == 50 }},
		{"the manager is out of reach", driver.ErrUnavailable, -1, func(n int) bool { return n < 20 }},
		{"a quota is used up", driver.ErrQuota, -1, func(n int) bool { return n < 20 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var names []string
			for i := range 50 {
				names = append(names, fmt.Sprintf("t_p%02d", i))
			}
			var asked atomic.Int64
			broken := make(chan struct{})
			found, err := driver.Each(t.Context(), append(names, names...), func(_ context.Context, name string) (driver.Secret, error) {
				asked.Add(1)
				if name == "t_p00" && tt.fault != nil {
					defer close(broken)
					return driver.Secret{}, fails(name, tt.fault)
				}
				if tt.found < 0 {
					<-broken // the others that are under way wait for the one that fails
				}
				return driver.Secret{Payload: []byte(name)}, nil
			}, func(err error) bool { return errors.Is(err, driver.ErrUnavailable) || errors.Is(err, driver.ErrQuota) })
			if n := int(asked.Load()); !tt.read(n) {
				t.Errorf("%d names were asked for", n)
			}
			if tt.found >= 0 && len(found) != tt.found {
				t.Errorf("%d secrets; want %d", len(found), tt.found)
			}
			if tt.fault == nil || errors.Is(tt.fault, driver.ErrNotFound) {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, tt.fault) {
				t.Errorf("error %v; want %v", err, tt.fault)
			}
			for _, name := range names {
				if _, ok := found[name]; !ok && !strings.Contains(err.Error(), name) {
					t.Errorf("nothing is said of %s", name)
				}
			}
			if !slices.IsSorted(names) {
				t.Error("the names were changed")
			}
		})
	}
}
