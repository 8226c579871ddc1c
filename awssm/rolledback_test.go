package awssm_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
)

func TestMovedByHand(t *testing.T) {
	const uuid = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"
	first, staged := awssm.FirstVersion(false), awssm.FirstVersion(true)
	second := awssm.Successor(first)
	tests := []struct {
		name              string
		current, previous string
		want              bool
	}{
		{"the first version", first, "", false},
		{"a put", second, first, false},
		{"a put in two steps", awssm.StagedSuccessor(first, 0), first, false},
		{"a put in two steps, past two dead writers", awssm.StagedSuccessor(staged, 2), staged, false},
		{"back by one", first, second, true},
		{"back by two", first, awssm.Successor(second), true},
		{"back in two steps", staged, awssm.StagedSuccessor(staged, 0), true},
		{"back by two in two steps", staged, awssm.StagedSuccessor(awssm.StagedSuccessor(staged, 0), 0), true},
		{"forward by two", awssm.Successor(second), first, true},
		{"a value put in by hand", uuid, first, false},
		{"a put after it", awssm.Successor(uuid), uuid, false},
		{"back to it", uuid, awssm.Successor(uuid), true},
		{"back past it", first, uuid, true},
	}
	for _, tt := range tests {
		if got := awssm.MovedByHand(tt.current, tt.previous); got != tt.want {
			t.Errorf("%s: MovedByHand = %v; want %v", tt.name, got, tt.want)
		}
	}
}

// rolledBack checks what RolledBack says, and that it takes one call.
func (b bench) rolledBack(t *testing.T, name string, want bool) {
	t.Helper()
	b.calls(t, "RolledBack", 1, func() {
		if got, err := b.RolledBack(t.Context(), name); err != nil || got != want {
			t.Errorf("RolledBack = %v, error %v; want %v", got, err, want)
		}
	})
}

func TestAMoveByHandShowsUntilTheNextPut(t *testing.T) {
	for _, twoStep := range []bool{false, true} {
		onServers(t, awssm.Options{TwoStep: twoStep}, func(t *testing.T, b bench) {
			rev := b.put(t, "a", "one", "")
			b.rolledBack(t, "a", false)
			version := b.version(t, "a")
			b.put(t, "a", "two", rev)
			b.rolledBack(t, "a", false)
			b.moveCurrent(t, "a", version)
			b.rolledBack(t, "a", true)
			rev = b.put(t, "a", "three", b.latest(t, "a", "one"))
			b.rolledBack(t, "a", false)
			b.put(t, "a", "four", rev)
			b.rolledBack(t, "a", false)
		})
	}
}

func TestRolledBackOfWhatIsNotThere(t *testing.T) {
	b := newBench(t, awssm.Options{RecoveryWindow: 7})
	check := func(name string, want error) {
		t.Helper()
		_, err := b.RolledBack(t.Context(), name)
		wantError(t, err, want)
	}
	check("a", driver.ErrNotFound)
	check("no/name", driver.ErrInvalid)
	b.put(t, "a", "one", "")
	b.remove(t, "a")
	check("a", driver.ErrNotFound)
	b.restoreByHand(t, "a") // a tombstone
	check("a", driver.ErrNotFound)
	b.link.bend = refusing("DescribeSecret", "AccessDeniedException")
	check("a", driver.ErrPermission)
}

// A placeholder is not a value that this package wrote for anybody to read.
func TestAPlaceholderMadeCurrentByHandIsHandedOutAsItIs(t *testing.T) {
	b := newBench(t, awssm.Options{})
	b.noPause()
	rev, tip := b.movedBack(t, "a")
	b.put(t, "a", "three", rev)
	var place string
	pages := secretsmanager.NewListSecretVersionIdsPaginator(b.direct, &secretsmanager.ListSecretVersionIdsInput{
		SecretId: aws.String(b.FullName("a")), IncludeDeprecated: aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			got, err := b.direct.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(b.FullName("a")), VersionId: v.VersionId})
			if err == nil && aws.ToString(got.SecretString) == awssm.Placeholder {
				place = aws.ToString(v.VersionId)
			}
		}
	}
	if place == "" {
		t.Fatalf("no placeholder was written, so that revision %q can be written at", tip)
	}
	b.moveCurrent(t, "a", place)
	b.latest(t, "a", awssm.Placeholder)
}
