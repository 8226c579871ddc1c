package gcpsmtest

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxFilterDepth is how deep parentheses may lie in each other here.
const maxFilterDepth = 32

// condition says whether a message passes a filter.
type condition func(protoreflect.Message) bool

// filterParser reads a filter (Secret Manager documentation, Filter lists of secrets and secret versions; AIP-160):
//
//	expression  = factor {"AND" factor}
//	factor      = term {"OR" term}
//	term        = ["NOT"] ("(" expression ")" | restriction)
//	restriction = field operator (value | "(" value {"OR" value} ")")
//
// OR binds more tightly than AND.
type filterParser struct {
	rest  string
	of    protoreflect.MessageDescriptor
	depth int
}

// parseFilter reads a filter for messages like of. The empty filter lets everything pass.
func parseFilter(filter string, of proto.Message) (condition, error) {
	if strings.TrimSpace(filter) == "" {
		return func(protoreflect.Message) bool { return true }, nil
	}
	p := &filterParser{rest: filter, of: of.ProtoReflect().Descriptor()}
	c, err := p.expression()
	if err == nil && p.peek() != "" {
		err = invalid("something follows the end of the expression")
	}
	if err != nil {
		return nil, invalid("The filter [%s] is invalid: %s.", filter, message(err))
	}
	return c, nil
}

func (p *filterParser) expression() (condition, error) {
	return p.joined("AND", p.factor, func(a, b bool) bool { return a && b })
}

func (p *filterParser) factor() (condition, error) {
	return p.joined("OR", p.term, func(a, b bool) bool { return a || b })
}

// joined reads operands with a keyword between them.
func (p *filterParser) joined(keyword string, operand func() (condition, error), join func(a, b bool) bool) (condition, error) {
	all, err := operand()
	for err == nil && p.take(keyword) {
		var next condition
		next, err = operand()
		before := all
		all = func(m protoreflect.Message) bool { return join(before(m), next(m)) }
	}
	return all, err
}

func (p *filterParser) term() (condition, error) {
	if p.take("NOT") {
		c, err := p.simple()
		return func(m protoreflect.Message) bool { return !c(m) }, err
	}
	return p.simple()
}

func (p *filterParser) simple() (condition, error) {
	if !p.take("(") {
		return p.restriction()
	}
	if p.depth++; p.depth > maxFilterDepth {
		return nil, invalid("its parentheses are too deep")
	}
	c, err := p.expression()
	p.depth--
	if err == nil && !p.take(")") {
		err = invalid("a parenthesis is not closed")
	}
	return c, err
}

func (p *filterParser) restriction() (condition, error) {
	field := p.word(" \t\r\n()<>=!:~\"'")
	if field == "" {
		return nil, invalid("a field is missing")
	}
	operator := ""
	for _, o := range []string{"<=", ">=", "!=", "<", ">", "=", ":"} {
		if p.take(o) {
			operator = o
			break
		}
	}
	if operator == "" {
		return nil, invalid("an operator is missing after %q", field)
	}
	if !p.take("(") {
		return p.comparison(field, operator)
	}
	c, err := p.joined("OR", func() (condition, error) { return p.comparison(field, operator) }, func(a, b bool) bool { return a || b })
	if err == nil && !p.take(")") {
		err = invalid("a parenthesis is not closed")
	}
	return c, err
}

// comparison reads the value that a field is compared with.
func (p *filterParser) comparison(field, operator string) (condition, error) {
	value, quoted, err := p.value()
	if err != nil {
		return nil, err
	}
	return compare(p.of, strings.Split(field, "."), operator, value, quoted)
}

// value reads a word, or text in quotes.
func (p *filterParser) value() (value string, quoted bool, err error) {
	next := p.peek()
	if next != `"` && next != "'" {
		if value = p.word(" \t\r\n()\"'"); value == "" {
			return "", false, invalid("a value is missing")
		}
		return value, false, nil
	}
	value, rest, closed := strings.Cut(p.rest[1:], next)
	if !closed {
		return "", false, invalid("a quote is not closed")
	}
	p.rest = rest
	return value, true, nil
}

// peek returns the next character that is not a space, "" at the end.
func (p *filterParser) peek() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	return p.rest[:min(1, len(p.rest))]
}

// take takes a keyword or a sign off the filter, if it is next.
func (p *filterParser) take(sign string) bool {
	p.peek()
	rest, ok := strings.CutPrefix(p.rest, sign)
	if letters := strings.ToUpper(sign) != strings.ToLower(sign); ok && letters && rest != "" && !strings.ContainsAny(rest[:1], " \t\r\n(") {
		return false // the beginning of a longer word
	}
	if ok {
		p.rest = rest
	}
	return ok
}

// word takes what comes before any of the characters in end.
func (p *filterParser) word(end string) string {
	p.peek()
	n := strings.IndexAny(p.rest, end)
	if n < 0 {
		n = len(p.rest)
	}
	word := p.rest[:n]
	p.rest = p.rest[n:]
	return word
}
