package localstack

import "net/http"

// Serve answers a request without a connection.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request) { s.serve(w, r) }

// Empty ends every secret.
func (s *Server) Empty() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account = newAccount(options{now: s.account.now})
}
