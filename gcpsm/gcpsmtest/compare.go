package gcpsmtest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// message is the text of an error without its code.
func message(err error) string { return status.Convert(err).Message() }

// compare returns the condition that a field of a message, or of one in it, has to do with a value what the operator says.
// "field:*" means that it is there. A field of several things in a list passes if one of them does, and only "!=" passes
// where there is nothing to compare.
func compare(of protoreflect.MessageDescriptor, path []string, operator, value string, quoted bool) (condition, error) {
	field, err := lastField(of, path)
	if err != nil {
		return nil, err
	}
	if operator == ":" && value == "*" && !quoted {
		return func(m protoreflect.Message) bool { return len(leaves(m, path)) > 0 }, nil
	}
	if operator == "!=" {
		equal, err := compare(of, path, "=", value, quoted)
		return func(m protoreflect.Message) bool { return !equal(m) }, err
	}
	test, err := comparator(field, operator, value)
	if err != nil {
		return nil, err
	}
	return func(m protoreflect.Message) bool { return slices.ContainsFunc(leaves(m, path), test) }, nil
}

// lastField is the field at the end of a path. For "labels.key" it is the value type of the map.
func lastField(of protoreflect.MessageDescriptor, path []string) (protoreflect.FieldDescriptor, error) {
	field := of.Fields().ByName(protoreflect.Name(path[0]))
	switch {
	case field == nil:
		return nil, invalid("there is no field %q", path[0])
	case len(path) == 1:
		return field, nil
	case field.IsMap():
		return field.MapValue(), nil
	case field.Message() == nil:
		return nil, invalid("the field %q has no fields", path[0])
	}
	return lastField(field.Message(), path[1:])
}

// leaves are the values that a message has at a path.
func leaves(m protoreflect.Message, path []string) []protoreflect.Value {
	field := m.Descriptor().Fields().ByName(protoreflect.Name(path[0]))
	if !m.Has(field) {
		return nil
	}
	v, rest := m.Get(field), path[1:]
	switch {
	case len(rest) == 0:
		return []protoreflect.Value{v}
	case field.IsMap():
		key := protoreflect.ValueOfString(strings.Join(rest, ".")).MapKey()
		if !v.Map().Has(key) {
			return nil
		}
		return []protoreflect.Value{v.Map().Get(key)}
	case field.IsList():
		var found []protoreflect.Value
		for i := range v.List().Len() {
			found = append(found, leaves(v.List().Get(i).Message(), rest)...)
		}
		return found
	}
	return leaves(v.Message(), rest)
}

// comparator returns what compares a value of a field.
func comparator(field protoreflect.FieldDescriptor, operator, value string) (func(protoreflect.Value) bool, error) {
	switch {
	case field.IsMap() && operator == ":":
		return func(v protoreflect.Value) bool { return v.Map().Has(protoreflect.ValueOfString(value).MapKey()) }, nil
	case field.IsMap() || field.IsList():
		return nil, invalid("the field %q cannot be compared", field.Name())
	case field.Kind() == protoreflect.StringKind && operator == ":":
		return func(v protoreflect.Value) bool { return contains(v.String(), value) }, nil
	case field.Kind() == protoreflect.StringKind && operator == "=":
		return func(v protoreflect.Value) bool { return v.String() == value }, nil
	}
	want, read, err := number(field, value)
	if err != nil {
		return nil, err
	}
	return func(v protoreflect.Value) bool {
		order := cmp.Compare(read(v), want)
		switch operator {
		case "<":
			return order < 0
		case "<=":
			return order <= 0
		case ">":
			return order > 0
		case ">=":
			return order >= 0
		}
		return order == 0
	}, nil
}

// number reads a value of a field that has an order, and returns how to read one of a message. Times are in nanoseconds.
func number(field protoreflect.FieldDescriptor, value string) (int64, func(protoreflect.Value) int64, error) {
	wrong := invalid("%q is no value that the field %q can be compared with in this way", value, field.Name())
	switch kind := field.Kind(); {
	case kind == protoreflect.EnumKind:
		known := field.Enum().Values().ByName(protoreflect.Name(value))
		if known == nil {
			return 0, nil, wrong
		}
		return int64(known.Number()), func(v protoreflect.Value) int64 { return int64(v.Enum()) }, nil
	case kind == protoreflect.Int64Kind:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return 0, nil, wrong
		}
		return n, protoreflect.Value.Int, nil
	case kind == protoreflect.MessageKind && field.Message().FullName() == "google.protobuf.Timestamp":
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if t, err := time.Parse(layout, value); err == nil {
				return t.UnixNano(), readTime, nil
			}
		}
	case kind == protoreflect.MessageKind && field.Message().FullName() == "google.protobuf.Duration":
		if d, err := time.ParseDuration(value); err == nil {
			return int64(d), readDuration, nil
		}
	}
	return 0, nil, wrong
}

func readTime(v protoreflect.Value) int64 {
	return v.Message().Interface().(*timestamppb.Timestamp).AsTime().UnixNano()
}

func readDuration(v protoreflect.Value) int64 {
	return int64(v.Message().Interface().(*durationpb.Duration).AsDuration())
}

// contains says whether the parts of a pattern, between the *, are in text one after the other.
func contains(text, pattern string) bool {
	for part := range strings.SplitSeq(pattern, "*") {
		_, after, ok := strings.Cut(text, part)
		if !ok {
			return false
		}
		text = after
	}
	return true
}
