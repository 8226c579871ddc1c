package awssm_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/faults"
)

const (
	tableFile  = "../docs/reliability.md"
	tableBegin = "<!-- faults of the store: begin; written by TOKENKEEP_UPDATE=1 go test -run EveryOperationMeetsEveryFault ./awssm -->\n"
	tableEnd   = "<!-- faults of the store: end -->\n"
)

// marks are what the matrix shows for an outcome, after the number of cases.
var marks = map[outcome]string{success: "", unavailable: "u", left: "c", unsaved: "s", nobody: "†"}

// compareWithDocs compares what ran with the tables of docs/reliability.md, or writes them where TOKENKEEP_UPDATE is set.
func compareWithDocs(t *testing.T, all []*ordeal, m *matrix) {
	t.Helper()
	all = slices.DeleteFunc(all, func(o *ordeal) bool { return o.soak })
	if ran := len(m.cells); ran < len(all)*len(faults.All) {
		t.Logf("%d of the %d cells of the matrix ran; it is not compared", ran, len(all)*len(faults.All))
		return
	}
	text, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	got, after, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		t.Fatalf("%s has no place for the matrix", tableFile)
	}
	want := m.byFault(all) + "\n" + m.table(all)
	if got == want {
		return
	}
	if os.Getenv("TOKENKEEP_UPDATE") == "" {
		t.Errorf("%s shows another matrix than the one that ran; write it with TOKENKEEP_UPDATE=1\n%s", tableFile, want)
		return
	}
	if err := os.WriteFile(tableFile, []byte(before+tableBegin+want+tableEnd+after), 0o644); err != nil {
		t.Error(err)
	}
}

// letter is the column of a fault.
func letter(i int) string { return string(rune('A' + i)) }

// byFault sums up what a user gets, for each fault.
func (m *matrix) byFault(all []*ordeal) string {
	var b strings.Builder
	outcomes := []outcome{success, unavailable, left, unsaved, nobody}
	b.WriteString("| | the request | cases |")
	for _, o := range outcomes {
		fmt.Fprintf(&b, " %s |", o)
	}
	b.WriteString("\n|---|---|--:|" + strings.Repeat("--:|", len(outcomes)) + "\n")
	sum := map[outcome]int{}
	row := func(name, what string, counts map[outcome]int) {
		cases := 0
		for _, n := range counts {
			cases += n
		}
		fmt.Fprintf(&b, "| %s | %s | %d |", name, what, cases)
		for _, o := range outcomes {
			fmt.Fprintf(&b, " %d |", counts[o])
		}
		b.WriteString("\n")
	}
	for i, fault := range faults.All {
		counts := map[outcome]int{}
		for _, o := range all {
			for what, n := range m.cells[cell{o, fault.Name}] {
				counts[what] += n
				sum[what] += n
			}
		}
		row(letter(i), fault.Name, counts)
	}
	row("", "all", sum)
	return b.String()
}

// table has a row for each ordeal and a column for each fault.
func (m *matrix) table(all []*ordeal) string {
	var b strings.Builder
	b.WriteString("| operation | start |")
	for i := range faults.All {
		fmt.Fprintf(&b, " %s |", letter(i))
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(faults.All)) + "\n")
	for _, o := range all {
		fmt.Fprintf(&b, "| %s | %s |", o.operation, o.start)
		for _, fault := range faults.All {
			counts := m.cells[cell{o, fault.Name}]
			var parts []string
			for _, what := range slices.SortedFunc(maps.Keys(counts), func(a, b outcome) int { return strings.Compare(marks[a], marks[b]) }) {
				parts = append(parts, fmt.Sprintf("%d%s", counts[what], marks[what]))
			}
			fmt.Fprintf(&b, " %s |", strings.Join(parts, " "))
		}
		b.WriteString("\n")
	}
	return b.String()
}
