package zoho

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// answer is what an accounts server sends:
//
//	{"access_token": "1000.…", "refresh_token": "1000.…", "api_domain": "https://www.zohoapis.eu", "token_type": "Bearer", "expires_in": 3600}
//	{"error": "invalid_code"}
//	{"error": "Access Denied", "error_description": "You have made too many requests …", "status": "failure"}
type answer struct {
	AccessToken  text `json:"access_token"`
	RefreshToken text `json:"refresh_token"`
	APIDomain    text `json:"api_domain"`
	ExpiresIn    text `json:"expires_in"`
	ExpiresInSec text `json:"expires_in_sec"`
	Error        text `json:"error"`
	Status       text `json:"status"`
}

// readAnswer returns an empty answer for what is none.
func readAnswer(body []byte) answer {
	var a answer
	if json.Unmarshal(body, &a) != nil {
		return answer{}
	}
	return a
}

// text is a JSON string or number. Anything else is empty, so that one odd field does not hide the others.
type text string

// UnmarshalJSON never fails.
func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(data, &s) == nil:
		*t = text(s)
	case json.Unmarshal(data, &n) == nil:
		*t = text(n)
	default:
		*t = ""
	}
	return nil
}

// token returns the answer as a token. An API domain of no known data center counts only where it is certain that the right
// server was asked: it would take the place of the guess that led there.
func (a answer) token(asked time.Time, sure bool) tokenkeep.Token {
	t := tokenkeep.Token{
		AccessToken:  string(a.AccessToken),
		ExpiresAt:    asked.Add(a.life()),
		RefreshToken: string(a.RefreshToken),
	}
	_, isKnown := DataCenterByAPIDomain(string(a.APIDomain))
	if domain, err := origin(string(a.APIDomain)); err == nil && (isKnown || sure) {
		t.APIDomain = domain
	}
	return t
}

// life is for how long the access token is good: expires_in seconds, or milliseconds where an answer has expires_in_sec
// too, as in Zoho's CRM SDKs 8.0 (old accounts servers sent both).
func (a answer) life() time.Duration {
	const usual, longest = time.Hour, 365 * 24 * time.Hour
	unit := time.Second
	if a.ExpiresInSec != "" {
		unit = time.Millisecond
	}
	n, err := strconv.ParseFloat(string(a.ExpiresIn), 64)
	if d := n * float64(unit); err == nil && d > 0 && d <= float64(longest) {
		return time.Duration(d)
	}
	return usual
}
