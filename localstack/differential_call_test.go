package localstack_test

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// call is one request, for either account. Its strings are symbols where literals has them, and "" leaves a member out.
type call struct {
	Action      string
	Secret      string     `json:",omitempty"`
	By          string     `json:",omitempty"` // how Secret is addressed, by its name if not by one of the ARNs below
	Token       string     `json:",omitempty"`
	Value       string     `json:",omitempty"`
	Description string     `json:",omitempty"`
	Stages      []string   `json:",omitzero"`
	Stage       string     `json:",omitempty"`
	Version     string     `json:",omitempty"`
	To          string     `json:",omitempty"`
	From        string     `json:",omitempty"`
	Tags        []string   `json:",omitempty"` // key=value, or keys to remove
	Force       bool       `json:",omitempty"`
	Window      *int64     `json:",omitempty"`
	Secrets     []string   `json:",omitempty"` // of a batch
	Filters     [][]string `json:",omitempty"` // each a key and values
	Max         *int32     `json:",omitempty"`
	All         bool       `json:",omitempty"` // also what is scheduled for deletion, or without a label
}

// The ARNs that a call may have.
const (
	byARN        = "ARN"
	byPartialARN = "partial ARN"
	byEndedARN   = "ARN of an earlier life"
)

// itsHolder is, in To and From, the version that has the label Stage when the call is sent.
const itsHolder = "its holder"

// literals are what symbols stand for. Every other string stands for itself.
var literals = map[string]string{
	"v1": v1, "v2": v2, "v3": v3, "v4": v4,
	"name of 513":     strings.Repeat("n", 513),
	"label of 257":    strings.Repeat("l", 257),
	"key of 129":      strings.Repeat("k", 129),
	"65536 bytes":     strings.Repeat("v", 65536),
	"65537 bytes":     strings.Repeat("v", 65537),
	"2049 characters": strings.Repeat("d", 2049),
	"nothing":         "",
}

func literal(symbol string) string {
	if s, ok := literals[symbol]; ok {
		return s
	}
	return symbol
}

func symbol(text *string) string {
	for symbol, s := range literals {
		if text != nil && s == *text {
			return symbol
		}
	}
	return aws.ToString(text)
}

// member is an optional member of a request.
func member(symbol string) *string {
	if symbol == "" {
		return nil
	}
	return aws.String(literal(symbol))
}

func each[T any](symbols []string, f func(string) T) []T {
	if symbols == nil {
		return nil
	}
	literals := []T{}
	for _, symbol := range symbols {
		literals = append(literals, f(symbol))
	}
	return literals
}

func (c call) String() string {
	text, _ := json.Marshal(c) // strings and numbers always marshal
	return string(text)
}

func (c call) value() (text *string, binary []byte) {
	if c.Value == "binary" {
		return nil, []byte{0, 255}
	}
	return member(c.Value), nil
}

func (c call) tags() []types.Tag {
	return each(c.Tags, func(tag string) types.Tag {
		key, value, _ := strings.Cut(tag, "=")
		return types.Tag{Key: aws.String(literal(key)), Value: aws.String(value)}
	})
}

func (c call) filters() []types.Filter {
	var filters []types.Filter
	for _, f := range c.Filters {
		filters = append(filters, types.Filter{Key: types.FilterNameStringType(f[0]), Values: f[1:]})
	}
	return filters
}

// changes says whether the call is for changing a secret.
func (c call) changes() bool {
	switch c.Action {
	case "GetSecretValue", "BatchGetSecretValue", "ListSecrets", "ListSecretVersionIds", "DescribeSecret":
		return false
	}
	return true
}
