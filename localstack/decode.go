package localstack

import (
	"encoding/json"
	"reflect"
	"unicode/utf8"
)

// decode reads a request into the struct at in. Unlike encoding/json it matches members by their exact name, as AWS
// does: a client that sends "secretId" is broken, and finds out here. The fields of in have the names of AWS's members.
func decode(body []byte, in any) error {
	if !utf8.Valid(body) {
		return errNotJSON
	}
	return decodeMember(body, reflect.ValueOf(in).Elem(), errNotJSON)
}

// decodeMember reads one value. What it answers for a value of another type names the member and never quotes the value,
// which may be a secret.
func decodeMember(data json.RawMessage, to reflect.Value, otherwise *apiError) error {
	switch {
	case to.Kind() == reflect.Struct:
		var members map[string]json.RawMessage
		if json.Unmarshal(data, &members) != nil || members == nil {
			return otherwise
		}
		for i := range to.NumField() {
			name := to.Type().Field(i).Name
			value, ok := members[name]
			if !ok || string(value) == "null" {
				continue
			}
			if err := decodeMember(value, to.Field(i), wrongType(name)); err != nil {
				return err
			}
		}
	case to.Kind() == reflect.Slice && to.Type().Elem().Kind() == reflect.Struct:
		var items []json.RawMessage
		if json.Unmarshal(data, &items) != nil {
			return otherwise
		}
		to.Set(reflect.MakeSlice(to.Type(), len(items), len(items)))
		for i, item := range items {
			if err := decodeMember(item, to.Index(i), otherwise); err != nil {
				return err
			}
		}
	case json.Unmarshal(data, to.Addr().Interface()) != nil:
		return otherwise
	}
	return nil
}
