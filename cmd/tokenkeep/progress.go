package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	barWidth = 30
	redraw   = 100 * time.Millisecond
)

// progress is a bar that shows how many of some tokens are done. A nil one shows nothing.
type progress struct {
	out         io.Writer
	now         func() time.Time
	total, done int
	drawn       time.Time
}

// newProgress returns a bar on a terminal, and nil where out is none.
func newProgress(out io.Writer, total int) *progress {
	if !isTerminal(out) || total == 0 {
		return nil
	}
	return &progress{out: out, now: time.Now, total: total}
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// add counts n more tokens, and draws the bar if that was not done just now.
func (p *progress) add(n int) {
	if p == nil {
		return
	}
	p.done += n
	if now := p.now(); now.Sub(p.drawn) >= redraw {
		p.drawn = now
		p.draw("")
	}
}

// finish draws the bar for the last time and leaves its line.
func (p *progress) finish() {
	if p != nil {
		p.draw("\n")
	}
}

// draw ignores errors: a terminal that is gone stops no copy.
func (p *progress) draw(end string) {
	full := barWidth * p.done / p.total
	bar := strings.Repeat("#", full) + strings.Repeat(".", barWidth-full)
	_, _ = fmt.Fprintf(p.out, "\r[%s] %d of %d%s", bar, p.done, p.total, end)
}
