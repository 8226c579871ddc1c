package tokenkeep

import "testing"

// These IDs are in users' secrets managers: a change makes two tokens of one user.
func TestDerivedIDsNeverChange(t *testing.T) {
	ann := Token{UserName: "ann@example.com", ClientID: "1000.X", APIDomain: "https://www.zohoapis.eu"}
	tests := []struct {
		name  string
		token Token
		slot  int
		want  string
	}{
		{"user, client and domain", ann, 0, "3oglmlb2ifcft6fdhkoeqpcl"},
		{"the next slot", ann, 1, "v0a1k6u8o2024bh6b5n9h256"},
		{"a user alone", Token{UserName: "ann@example.com"}, 0, "k83f0itk6t85me8kdjjgtgjj"},
		{"a grant token before a refresh token", Token{GrantToken: "g", RefreshToken: "r", ClientID: "1000.X"}, 0, "740eaispviqeen75ivjft2mr"},
		{"a refresh token", Token{RefreshToken: "r"}, 0, "vhjab32tmea78r1ith9hia6v"},
		{"an access token", Token{AccessToken: "a"}, 0, "t81ggro2e6d7s5663cusuhat"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.token.identity().derivedID(tt.slot); got != tt.want {
				t.Errorf("derived ID %q, want %q", got, tt.want)
			}
		})
	}
}
