package gcpsmtest

import (
	"testing"
	"time"
)

// The numbers that would take many requests to see from outside.
func TestRatesAndSizesAreThoseThatGoogleDocuments(t *testing.T) {
	want := map[string][2]int{ // global and regional, at once
		"AccessSecretVersion": {90_000, 90_000},
		"GetSecret":           {600, 600}, "GetSecretVersion": {600, 600}, "ListSecrets": {600, 600}, "ListSecretVersions": {600, 600},
		"CreateSecret": {600, 600}, "DeleteSecret": {600, 600},
		"UpdateSecret": {2, 80}, "AddSecretVersion": {2, 80},
		"EnableSecretVersion": {1, 50}, "DisableSecretVersion": {1, 50}, "DestroySecretVersion": {1, 50},
	}
	now := time.Unix(1e9, 0)
	for called, m := range methods {
		for i, location := range []string{"", "europe-west1"} {
			n, q := 0, newQuotas()
			for q.take(m, name{project: "1", location: location, secret: "s"}, now) == nil {
				n++
			}
			if n != want[called][i] {
				t.Errorf("%d of %s pass in one instant in the location %q; want %d", n, called, location, want[called][i])
			}
		}
	}
	for asked, want := range map[int32]int{0: 7, 1: 1, 25_000: 25_000, 25_001: 25_000} {
		if got, err := (pager{size: asked, most: 7}).length(); err != nil || got != want {
			t.Errorf("a page of size %d has %d, %v; want %d", asked, got, err, want)
		}
	}
}
