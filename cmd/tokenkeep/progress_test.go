package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestABarIsDrawnTenTimesASecondAndAtItsEnd(t *testing.T) {
	var out strings.Builder
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := &progress{out: &out, now: func() time.Time { return now }, total: 300}
	for range 200 { // two seconds
		p.add(1)
		now = now.Add(10 * time.Millisecond)
	}
	if got := strings.Count(out.String(), "\r"); got != 20 {
		t.Errorf("drawn %d times in two seconds; want 20", got)
	}
	p.finish()
	drawn := strings.Split(out.String(), "\r")
	if first, want := drawn[1], "["+strings.Repeat(".", 30)+"] 1 of 300"; first != want {
		t.Errorf("drawn %q at first; want %q", first, want)
	}
	last, want := drawn[len(drawn)-1], "["+strings.Repeat("#", 20)+strings.Repeat(".", 10)+"] 200 of 300\n"
	if last != want {
		t.Errorf("drawn %q at last; want %q", last, want)
	}
}

func TestABarIsForTerminalsAlone(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = reader.Close(), writer.Close() })
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if newProgress(writer, 1) != nil || newProgress(file, 1) != nil || newProgress(&strings.Builder{}, 1) != nil {
		t.Error("there is a bar in a pipe, a file or a buffer; want none")
	}
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, as terminals are
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = device.Close() })
	if newProgress(device, 1) == nil || newProgress(device, 0) != nil {
		t.Error("want a bar on a terminal where there is something to do")
	}
	var none *progress
	none.add(1)
	none.finish()
}
