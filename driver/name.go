package driver

import "fmt"

// CheckName refuses names that lie outside the alphabet of [Secrets], or have more bytes than the limit, with [ErrInvalid]. A
// driver calls it before it puts a name into a path: so no name addresses anything outside the folder.
func CheckName(name string, limit int) error {
	if name == "" || len(name) > limit {
		return fmt.Errorf("the name has %d bytes, 1 to %d fit: %w", len(name), limit, ErrInvalid)
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' {
			return fmt.Errorf("the name has %q, only a-z, 0-9 and _ fit: %w", r, ErrInvalid)
		}
	}
	return nil
}
