package sqlstore

// LosePatience makes a store give up as soon as another writer has the table.
func (s *Store) LosePatience() { s.patience = 0 }

// Explain is what becomes of an error of the database.
var Explain = explain
