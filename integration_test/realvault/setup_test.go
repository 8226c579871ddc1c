package realvault

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// newProcess starts a server for this test only.
func newProcess(t *testing.T) (instance Instance, stop func()) {
	t.Helper()
	Start(t, OpenBao) // so that the program is there, or this test is skipped
	process := sharedProcess{server: OpenBao}
	t.Cleanup(process.stop)
	instance, err := process.instance()
	if err != nil {
		t.Fatal(err)
	}
	return instance, process.stop
}

func TestStopEndsTheServer(t *testing.T) {
	instance, stop := newProcess(t)
	for range 2 {
		stop()
	}
	if connection, err := net.Dial("tcp", strings.TrimPrefix(instance.Addr, "http://")); err == nil {
		_ = connection.Close()
		t.Errorf("somebody still answers on %s", instance.Addr)
	}
}

func TestMountAddsWhatIsNotThere(t *testing.T) {
	instance, _ := newProcess(t)
	client := instance.NewClient(t, instance.RootToken)
	for range 2 {
		if err := mount(instance.Addr, instance.RootToken); err != nil {
			t.Fatal(err)
		}
		if err := client.KVv1("kv1").Put(t.Context(), "a", map[string]any{"value": "x"}); err != nil {
			t.Fatal(err)
		}
		if err := client.Sys().Unmount("kv1"); err != nil {
			t.Fatal(err)
		}
		if err := client.Sys().DisableAuth("approle"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMountWaitsForTheUpgradeToVersion2(t *testing.T) {
	instance, _ := newProcess(t)
	target, err := url.Parse(instance.Addr)
	if err != nil {
		t.Fatal(err)
	}
	server, transport := httputil.NewSingleHostReverseProxy(target), &http.Transport{}
	server.Transport = transport
	defer transport.CloseIdleConnections()
	var asked atomic.Int32
	upgrading := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/secret/config" && asked.Add(1) < 3 {
			http.Error(w, `{"errors":["Upgrading from non-versioned to versioned data."]}`, http.StatusBadRequest)
			return
		}
		server.ServeHTTP(w, r)
	}))
	defer upgrading.Close()
	if err := mount(upgrading.URL, instance.RootToken); err != nil || asked.Load() != 3 {
		t.Errorf("mount = %v, after it asked %d times; want 3 times", err, asked.Load())
	}
}

func TestMountRefusesAnotherEngine(t *testing.T) {
	instance, _ := newProcess(t)
	client := instance.NewClient(t, instance.RootToken)
	if err := client.Sys().Remount("secret", "elsewhere"); err != nil {
		t.Fatal(err)
	}
	if err := client.Sys().Remount("kv1", "secret"); err != nil {
		t.Fatal(err)
	}
	if err := mount(instance.Addr, instance.RootToken); err == nil || !strings.Contains(err.Error(), "secret/ is not KV version 2") {
		t.Errorf("mount = %v; want it to say that secret/ is not KV version 2", err)
	}
}

func TestAnUnsealKeyUnsealsAgain(t *testing.T) {
	instance, _ := newProcess(t)
	client := instance.NewClient(t, instance.RootToken)
	if err := client.Sys().Seal(); err != nil {
		t.Fatal(err)
	}
	if now, err := client.Sys().Unseal(instance.UnsealKey); err != nil || now.Sealed {
		t.Errorf("Unseal = %v, %v; want it unsealed", now, err)
	}
}
