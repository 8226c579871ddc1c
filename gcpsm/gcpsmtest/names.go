package gcpsmtest

import (
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
)

// The forms of resource names. Each may have locations/* after projects/*.
const (
	parentForm  = "projects/*"
	secretForm  = "projects/*/secrets/*"
	versionForm = "projects/*/secrets/*/versions/*"
)

const latest = "latest"

var (
	segment      = regexp.MustCompile(`^[A-Za-z0-9.:_-]+$`)
	secretID     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	versionAlias = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,62}$`)
)

// name is a resource name: that of a project, perhaps with a location, of a secret in it, or of a version of that.
type name struct {
	project  string // its number
	location string // "": global
	secret   string
	version  string // a number, an alias or "latest"
}

// parseName reads a resource name of the given form.
func parseName(text, form string) (name, error) {
	wrong := invalid("The provided Secret ID [%s] does not match the expected format [%s]", text, form)
	var n name
	parts := strings.Split(text, "/")
	if len(parts) >= 4 && parts[2] == "locations" {
		if !segment.MatchString(parts[3]) {
			return name{}, wrong
		}
		n.location = parts[3]
		parts = append(parts[:2:2], parts[4:]...)
	}
	want := strings.Split(form, "/")
	if len(parts) != len(want) {
		return name{}, wrong
	}
	for i := 0; i < len(want); i += 2 {
		if parts[i] != want[i] || !segment.MatchString(parts[i+1]) {
			return name{}, wrong
		}
	}
	n.project = ProjectNumber(parts[1])
	if len(parts) > 2 {
		n.secret = parts[3]
		if err := checkSecretID(n.secret); err != nil {
			return name{}, err
		}
	}
	if len(parts) > 4 {
		n.version = parts[5]
		if _, ok := n.number(); !ok && !versionAlias.MatchString(n.version) {
			return name{}, wrong
		}
	}
	return n, nil
}

func checkSecretID(id string) error {
	if !secretID.MatchString(id) {
		return invalid("The provided Secret ID [%s] does not match the expected format [[a-zA-Z_0-9]+]", id)
	}
	return nil
}

// number is the number of a version, unless the name has an alias.
func (n name) number() (int64, bool) {
	number, err := strconv.ParseInt(n.version, 10, 64)
	return number, err == nil && number > 0 && strconv.FormatInt(number, 10) == n.version
}

// parent is the resource name of the project and location.
func (n name) parent() string {
	if n.location == "" {
		return "projects/" + n.project
	}
	return "projects/" + n.project + "/locations/" + n.location
}

// of is the resource name of the secret.
func (n name) of() string { return n.parent() + "/secrets/" + n.secret }

func (n name) String() string {
	switch {
	case n.secret == "":
		return n.parent()
	case n.version == "":
		return n.of()
	}
	return n.of() + "/versions/" + n.version
}

func versionName(n name, number int64) string {
	n.version = strconv.FormatInt(number, 10)
	return n.String()
}

// ProjectNumber returns the number that a server has for a project, by its ID or number. As the service does, a server
// takes either in a request and answers with the number. A number stands for itself; that of an ID is always the same one
// of twelve digits.
func ProjectNumber(project string) string {
	if strings.Trim(project, "0123456789") == "" {
		return project
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(project)) // never fails
	return strconv.FormatUint(100_000_000_000+h.Sum64()%900_000_000_000, 10)
}
