package localstack

import (
	"slices"
	"strings"
	"unicode"
)

// filter selects secrets by one of their attributes. A secret passes it if one of the values matches; a value that starts
// with "!" matches what the rest of it does not (Secrets Manager API reference, Filter).
type filter struct {
	Key    string
	Values []string
}

// matchers say whether a secret has an attribute that a value means. No secret here has replicas or an owning service.
var matchers = map[string]func(s *secret, value string) bool{
	"all": matchWords,
	"description": func(s *secret, v string) bool {
		return strings.HasPrefix(strings.ToLower(s.description), strings.ToLower(v))
	},
	"name":           func(s *secret, v string) bool { return strings.HasPrefix(s.name, v) },
	"owning-service": func(*secret, string) bool { return false },
	"primary-region": func(*secret, string) bool { return false },
	"tag-key": func(s *secret, v string) bool {
		for key := range s.tags {
			if strings.HasPrefix(key, v) {
				return true
			}
		}
		return false
	},
	"tag-value": func(s *secret, v string) bool {
		for _, value := range s.tags {
			if strings.HasPrefix(value, v) {
				return true
			}
		}
		return false
	},
}

func checkFilters(filters []filter) error {
	if filters == nil {
		return nil
	}
	if len(filters) > maxFilters {
		return invalid("filters", "have length less than or equal to %d", maxFilters)
	}
	for _, f := range filters {
		if matchers[f.Key] == nil {
			return invalid("filters.key", "satisfy enum value set: [all, description, name, owning-service, primary-region, tag-key, tag-value]")
		}
		if err := checkCount("filters.values", len(f.Values), maxFilters); err != nil {
			return err
		}
		for _, value := range f.Values {
			if err := checkLength("filters.values", value, 0, maxFilterValue); err != nil {
				return err
			}
			if !consistsOf(value, alphanumeric+" :_@/+=.-!") {
				return invalid("filters.values", `satisfy regular expression pattern: ^\!?[a-zA-Z0-9 :_@\/\+\=\.\-\!]*$`)
			}
		}
	}
	return nil
}

// matchAll reports whether s passes every filter.
func matchAll(filters []filter, s *secret) bool {
	for _, f := range filters {
		matches := func(value string) bool {
			rest, negated := strings.CutPrefix(value, "!")
			return matchers[f.Key](s, rest) != negated
		}
		if !slices.ContainsFunc(f.Values, matches) {
			return false
		}
	}
	return true
}

// matchWords reports whether a word of the value begins a word of the name, the description or a tag, whatever the case.
func matchWords(s *secret, value string) bool {
	have := append(words(s.name), words(s.description)...)
	for key, value := range s.tags {
		have = append(append(have, words(key)...), words(value)...)
	}
	return slices.ContainsFunc(words(value), func(want string) bool {
		return slices.ContainsFunc(have, func(word string) bool { return strings.HasPrefix(word, want) })
	})
}

// words splits text at punctuation, between letters and digits and before a capital that follows a small letter, and
// returns the words in lower case (Secrets Manager user guide, Find secrets).
func words(text string) []string {
	var found []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			found = append(found, strings.ToLower(word.String()))
			word.Reset()
		}
	}
	var last rune
	for _, r := range text {
		letter, digit := unicode.IsLetter(r), unicode.IsDigit(r)
		if !letter && !digit || letter && unicode.IsDigit(last) || digit && unicode.IsLetter(last) || unicode.IsUpper(r) && unicode.IsLower(last) {
			end()
		}
		if letter || digit {
			word.WriteRune(r)
		}
		last = r
	}
	end()
	return found
}
