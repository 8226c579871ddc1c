package drivertest

import (
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

func TestMemory(t *testing.T) {
	Run(t, func(t *testing.T) func() driver.Secrets {
		s := &memdriver.Secrets{Bounds: driver.Limits{Payload: 1000, Name: 40}}
		return func() driver.Secrets { return s }
	})
}

func TestMemoryWithoutLimits(t *testing.T) {
	Run(t, func(t *testing.T) func() driver.Secrets {
		s := new(memdriver.Secrets)
		return func() driver.Secrets { return s }
	})
}
