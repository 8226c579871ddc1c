package doctor

import (
	"fmt"
	"strings"
)

// right is something that a program must be allowed to do. Its name is for people.
type right string

const (
	toRead    right = "read"
	toIndex   right = "read index"
	toCreate  right = "create"
	toUpdate  right = "update"
	toDelete  right = "delete"
	toList    right = "list"
	toHistory right = "history"
)

// jobs are those of the policies, and what each must be allowed.
var jobs = []struct {
	name  string
	needs []right
}{
	{"read", []right{toRead, toIndex}},
	{"refresh", []right{toRead, toIndex, toUpdate}},
	{"write", []right{toRead, toIndex, toCreate, toUpdate, toDelete}},
	{"operator", []right{toRead, toIndex, toUpdate, toDelete, toList, toHistory}},
}

// rights are what was found out about each. One that is missing was not tried.
type rights map[right]result

// note remembers what a check says about a right, and returns it. What failed for another reason says nothing about it.
func (m rights) note(about right, r result) result {
	m[about] = r
	return r
}

// findings says of each job whether it can be done.
func (m rights) findings() []Finding {
	var found []Finding
	for _, job := range jobs {
		var denied, open []string
		for _, need := range job.needs {
			switch m[need].verdict {
			case OK:
			case Denied:
				denied = append(denied, string(need))
			default:
				open = append(open, string(need))
			}
		}
		f := Finding{Check: "job " + job.name, Verdict: OK, Detail: "can"}
		switch {
		case len(denied) > 0:
			f.Verdict, f.Detail = Denied, fmt.Sprintf("cannot: %s %s denied", strings.Join(denied, ", "), isOrAre(len(denied)))
		case len(open) > 0:
			f.Verdict, f.Detail = Unknown, "not shown: see "+strings.Join(open, ", ")
		}
		found = append(found, f)
	}
	return found
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
