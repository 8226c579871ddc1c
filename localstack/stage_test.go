package localstack_test

import (
	"strings"
	"testing"
)

func TestUpdateSecretVersionStage(t *testing.T) {
	// Before each: v1 has AWSPREVIOUS, v2 has AWSCURRENT, v3 has A, v4 no label.
	before := []string{"v1: AWSPREVIOUS", "v2: AWSCURRENT", "v3: A"}
	tests := []struct {
		name            string
		label, to, from string
		wantCode        string
		want            []string
	}{
		{"a new label", "B", v1, "", "", []string{"v1: AWSPREVIOUS B", "v2: AWSCURRENT", "v3: A"}},
		{"a label moves from the version named", "A", v1, v3, "", []string{"v1: A AWSPREVIOUS", "v2: AWSCURRENT"}},
		{"a label attached elsewhere needs that version named", "A", v1, "", "InvalidParameterException", before},
		{"a label attached elsewhere than on the version named", "A", v1, v2, "InvalidParameterException", before},
		{"a label that is nowhere, with a version named", "B", v1, v2, "InvalidParameterException", before},
		{"a label that is there already", "A", v3, "", "", before},
		{"a label is removed", "A", "", v3, "", []string{"v1: AWSPREVIOUS", "v2: AWSCURRENT"}},
		{"removing needs the right version", "A", "", v1, "InvalidParameterException", before},
		{"AWSCURRENT takes AWSPREVIOUS along", "AWSCURRENT", v3, v2, "", []string{"v2: AWSPREVIOUS", "v3: A AWSCURRENT"}},
		{"AWSCURRENT to a version without labels", "AWSCURRENT", v4, v2, "", []string{"v2: AWSPREVIOUS", "v3: A", "v4: AWSCURRENT"}},
		{"a roll-back swaps the two", "AWSCURRENT", v1, v2, "", []string{"v1: AWSCURRENT", "v2: AWSPREVIOUS", "v3: A"}},
		{"AWSCURRENT from a version that lost it", "AWSCURRENT", v3, v1, "InvalidParameterException", before},
		{"AWSCURRENT stays where it is", "AWSCURRENT", v2, v2, "", before},
		{"AWSCURRENT can't be removed", "AWSCURRENT", "", v2, "InvalidParameterException", before},
		{"AWSPREVIOUS can be removed", "AWSPREVIOUS", "", v1, "", []string{"v2: AWSCURRENT", "v3: A"}},
		{"neither version, and a label that is nowhere", "B", "", "", "InvalidParameterException", before},
		{"neither version", "A", "", "", "InvalidParameterException", before},
		{"to a version that does not exist", "A", strings.Repeat("9", 32), v3, "ResourceNotFoundException", before},
		{"from a version that does not exist", "A", v1, strings.Repeat("9", 32), "InvalidParameterException", before},
		{"a version ID that is too short", "A", "v1", v3, "ValidationException", before},
		{"a removed version ID that is too short", "A", v1, "v3", "ValidationException", before},
		{"a label that is too long", strings.Repeat("A", 257), v1, "", "ValidationException", before},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t)
			c.create("a", "one")
			c.mustPut("a", v2, "two")
			c.mustPut("a", v4, "four", "GONE")
			c.mustPut("a", v3, "three", "GONE", "A")
			if err := c.move("a", "GONE", "", v3); err != nil {
				t.Fatal(err)
			}
			c.wantStages("a", before...)
			wantCode(t, c.move("a", tt.label, tt.to, tt.from), tt.wantCode)
			c.wantStages("a", tt.want...)
		})
	}
}

func TestStagesOfMissingAndScheduledSecretsDoNotMove(t *testing.T) {
	c := newClient(t)
	wantCode(t, c.move("absent", "A", v1, ""), "ResourceNotFoundException")
	c.create("a", "one")
	c.schedule("a")
	wantCode(t, c.move("a", "A", v1, ""), "InvalidRequestException")
	c.wantStages("a", "v1: AWSCURRENT")
}

func TestReadsFollowAWSCURRENTAfterARollBack(t *testing.T) {
	c := newClient(t)
	c.create("a", "one")
	c.mustPut("a", v2, "two")
	if err := c.move("a", "AWSCURRENT", v1, v2); err != nil {
		t.Fatal(err)
	}
	c.wantValue("a", "one")
	c.mustPut("a", v3, "three")
	c.wantValue("a", "three")
	c.wantStages("a", "v1: AWSPREVIOUS", "v3: AWSCURRENT")
}
