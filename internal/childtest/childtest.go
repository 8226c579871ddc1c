// Package childtest runs the test binary once more, as a process that a test talks with by lines. It is for tests only; their
// TestMain plays the part of the process where the variable is set.
package childtest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// patience is how long a test waits for what should happen soon.
const patience = 2 * time.Minute

// Process is an operating-system process that plays a part.
type Process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string // ends with the process
}

// Start starts the test binary with a variable in its environment. What is left of it at the end of the test is killed.
func Start(t *testing.T, variable, value string) *Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	// With -race, a process would sleep for a second at its end.
	cmd.Env = append(os.Environ(), variable+"="+value, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &Process{cmd, stdin, make(chan string, 16)} // more than it ever prints
	go func() {
		defer close(p.lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			p.lines <- scanner.Text()
		}
	}()
	t.Cleanup(p.Kill)
	return p
}

// Kill ends the process by a signal that it cannot handle, and waits for its end. It may be repeated.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	for range p.lines { // until nothing is left to read
	}
	_ = p.cmd.Wait()
	_ = p.stdin.Close()
}

// Line returns the next line that the process prints.
func (p *Process) Line(t *testing.T) string {
	t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			t.Fatal("a process ended too early")
		}
		return line
	case <-time.After(patience):
		t.Fatal("a process says nothing")
	}
	return ""
}

// Await fails the test unless the next line is this one.
func (p *Process) Await(t *testing.T, want string) {
	t.Helper()
	if got := p.Line(t); got != want {
		t.Fatalf("a process says %q, want %q", got, want)
	}
}

// Signal sends the process a line.
func (p *Process) Signal(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, "go\n"); err != nil {
		t.Fatal(err)
	}
}
