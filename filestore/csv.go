package filestore

import (
	"bytes"
	"strings"
)

// record is a row of text, and the line on which it begins. Package encoding/csv would take CR LF in quotes for LF, and
// refuse quotes inside of values.
type record struct {
	line   int
	fields []string
}

// parse returns the records of a file that are not blank.
func parse(content []byte) ([]record, error) {
	p := parser{rest: strings.TrimPrefix(string(content), "\ufeff"), line: 1}
	var records []record
	for p.rest != "" {
		r, err := p.record()
		if err != nil {
			return nil, err
		}
		if strings.Join(r.fields, "") != "" {
			records = append(records, r)
		}
	}
	return records, nil
}

type parser struct {
	rest string
	line int
}

func (p *parser) record() (record, error) {
	r := record{line: p.line}
	for {
		field, err := p.field()
		if err != nil {
			return record{}, err
		}
		r.fields = append(r.fields, field)
		rest, more := strings.CutPrefix(p.rest, ",")
		p.rest = rest
		if !more {
			break
		}
	}
	if rest, ok := strings.CutPrefix(p.rest, "\n"); ok {
		p.rest = rest
		p.line++
	}
	return r, nil
}

// field returns the next field and stops before the comma or line feed after it, or at the end.
func (p *parser) field() (string, error) {
	if strings.HasPrefix(p.rest, `"`) {
		return p.quoted()
	}
	end := strings.IndexAny(p.rest, ",\n")
	if end < 0 {
		end = len(p.rest)
	}
	field := p.rest[:end]
	p.rest = p.rest[end:]
	return strings.TrimRight(field, "\r"), nil // also before a comma: FileStore of Node.js appends a tenth column there
}

func (p *parser) quoted() (string, error) {
	r := record{line: p.line}
	var field strings.Builder
	p.rest = p.rest[1:]
	for {
		text, rest, ok := strings.Cut(p.rest, `"`)
		if !ok {
			return "", r.damaged("a quote opens that never closes")
		}
		field.WriteString(text)
		p.line += strings.Count(text, "\n")
		p.rest = rest
		if !strings.HasPrefix(rest, `"`) {
			break
		}
		field.WriteByte('"')
		p.rest = rest[1:]
	}
	p.rest = strings.TrimLeft(p.rest, "\r")
	if p.rest != "" && p.rest[0] != ',' && p.rest[0] != '\n' {
		return "", record{line: p.line}.damaged("there is text after a closing quote")
	}
	return field.String(), nil
}

// writeRecord writes fields as a line, in quotes only where they need them.
func writeRecord(out *bytes.Buffer, fields []string) {
	for i, field := range fields {
		if i > 0 {
			out.WriteByte(',')
		}
		if strings.ContainsAny(field, ",\"\r\n") {
			field = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
		}
		out.WriteString(field)
	}
	out.WriteByte('\n')
}
