package commandline

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const accountsServer = "accounts.zoho.eu"

// startZoho starts an accounts server of Zoho, and a proxy that leads there and nowhere else. It returns the variables of the
// environment by which a process finds the one through the other, and believes its certificate.
func startZoho(t *testing.T) []string {
	t.Helper()
	certificate, file := certify(t, accountsServer)
	zoho := httptest.NewUnstartedServer(http.HandlerFunc(refresh))
	zoho.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	zoho.StartTLS()
	t.Cleanup(zoho.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != accountsServer+":443" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		tunnel(client, zoho.Listener.Addr().String())
	}))
	t.Cleanup(proxy.Close)
	return []string{"HTTPS_PROXY=" + proxy.URL, "SSL_CERT_FILE=" + file}
}

// tunnel carries bytes both ways, for one request.
func tunnel(client net.Conn, address string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		_ = server.Close()
		return
	}
	there := make(chan struct{})
	go func() {
		defer close(there)
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
	_ = client.Close()
	<-there
}

// refresh answers as Zoho's accounts server.
func refresh(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.FormValue("refresh_token") == "canary-revoked" {
		_, _ = fmt.Fprint(w, `{"error":"invalid_code"}`)
		return
	}
	_, _ = fmt.Fprint(w, `{"access_token":"canary-fresh","api_domain":"https://www.zohoapis.eu","token_type":"Bearer","expires_in":3600}`)
}

// certify makes a certificate of a host, and a file that has it as the only one to believe.
func certify(t *testing.T, host string) (certificate tls.Certificate, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "certificates.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, file
}
