package realvault

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// errNoExternal means that the environment names no server.
var errNoExternal = errors.New("VAULT_ADDR and VAULT_TOKEN are not both set")

// sharedProcess is a server that is started at most once.
type sharedProcess struct {
	server Server
	once   sync.Once
	shared Instance
	err    error
	end    func()
}

func (p *sharedProcess) instance() (Instance, error) {
	p.once.Do(func() { p.err = p.start() })
	return p.shared, p.err
}

func (p *sharedProcess) start() error {
	if p.server == External {
		if external == nil {
			return errNoExternal
		}
		p.shared = *external
		return mount(p.shared.Addr, p.shared.RootToken)
	}
	binary, err := Build(p.server)
	if err != nil {
		return err
	}
	address, err := p.run(binary)
	if err != nil {
		return err
	}
	p.shared = Instance{Server: p.server, Addr: address}
	if p.shared.RootToken, p.shared.UnsealKey, err = unseal(address); err != nil {
		return err
	}
	return mount(address, p.shared.RootToken)
}

// run starts the binary and returns the URL that it writes. The process ends when its standard input does, hence with
// the test binary, even if that is killed.
func (p *sharedProcess) run(binary string) (string, error) {
	child := exec.Command(binary)
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		return "", err
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := child.Start(); err != nil {
		return "", err
	}
	p.end = func() {
		_ = stdin.Close()
		_ = child.Wait()
	}
	tooLate := time.AfterFunc(time.Minute, func() { _ = stdin.Close() })
	defer tooLate.Stop()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s ended, or had to after a minute, before it listened; standard error has the reason: %w", binary, err)
	}
	return strings.TrimSpace(line), nil
}

// stop ends the server if it was started. It may be repeated.
func (p *sharedProcess) stop() {
	if p.end != nil {
		p.end()
		p.end = nil
	}
}
