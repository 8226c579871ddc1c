package driver_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
)

func TestOnlyNamesOfTheAlphabetAndTheLengthAreTaken(t *testing.T) {
	for _, name := range []string{"t_p1", "i_r", "a", "0", "_", strings.Repeat("a", 10)} {
		if err := driver.CheckName(name, 10); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "A", "a/b", "..", "a-b", "a b", "ä", "a\x00", "a%2f", "a{", "a`", "a:", "a^", strings.Repeat("a", 11)} {
		if err := driver.CheckName(name, 10); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("%q: error %v; want ErrInvalid", name, err)
		}
	}
}
