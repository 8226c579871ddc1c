package commandline

import (
	"io"
	"net"
	"sync"
	"testing"
)

// gate is the way to a server. It counts what clients send, in pieces that are about a request each, and can do something at
// one of them.
type gate struct {
	network, server string
	address         string // where it listens
	group           sync.WaitGroup

	mu     sync.Mutex
	passed int
	at     int    // the piece that meets something; 0: none does
	lost   bool   // that piece does not arrive
	meet   func() // what happens
}

func openGate(t testing.TB, network, server string) *gate {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{network: network, server: server, address: listener.Addr().String()}
	g.group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			g.group.Go(func() { g.join(client) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		g.group.Wait() // for the clients, which end before
	})
	return g
}

// arm starts the count anew. What happens at a piece, which is lost or arrives, happens once.
func (g *gate) arm(at int, lost bool, meet func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.passed, g.at, g.lost, g.meet = 0, at, lost, meet
}

// disarm returns how many pieces there were since the gate was armed.
func (g *gate) disarm() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at = 0
	return g.passed
}

// passes counts a piece and reports whether it arrives.
func (g *gate) passes() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.passed++
	if g.passed != g.at {
		return true
	}
	g.meet()
	return !g.lost
}

// join carries bytes both ways until one of the sides closes.
func (g *gate) join(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial(g.network, g.server)
	if err != nil {
		return
	}
	g.group.Go(func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	})
	defer func() { _ = server.Close() }()
	piece := make([]byte, 64<<10)
	for {
		n, err := client.Read(piece)
		if n > 0 && g.passes() {
			if _, err := server.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
