package mariadbtest

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
)

// Forward listens on a free port of 127.0.0.1 until the test ends, and hands every connection on to a socket, such as that
// of the server of [Start]. It is for programs that reach a database by host and port only. It returns the port.
func Forward(t testing.TB, socket string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { join(ctx, client, socket) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		cancel()
		group.Wait()
	})
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// join carries bytes both ways between a client and a socket until one of them closes, or the context ends.
func join(ctx context.Context, client net.Conn, socket string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	ctx, over := context.WithCancel(ctx)
	defer over()
	var group sync.WaitGroup
	for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
		group.Go(func() {
			defer over()
			_, _ = io.Copy(pair[0], pair[1])
		})
	}
	<-ctx.Done()
	_, _ = client.Close(), server.Close()
	group.Wait()
}
