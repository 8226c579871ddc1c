package tokenkeep

import "context"

// Check tells whether the store can be read: with one call, for the start of a program or a health check. [ErrNotFound] means
// that nothing has been saved in it yet; [ErrPermission], [ErrDamaged] and [ErrUnavailable] mean what they say. It proves
// nothing about writing.
func (s *SecretStore) Check(ctx context.Context) error {
	n, err := s.readNode(ctx, "")
	if err == nil && n.rev == "" {
		err = ErrNotFound
	}
	if err != nil {
		return s.fail("check", "", err)
	}
	return nil
}
