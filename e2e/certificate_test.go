package e2e

import (
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"tianbao/internal/clientcert"
	"tianbao/internal/demo"
)

// usbKey makes the SM2 certificate of a USB key, signed by an authority that it makes
// where there is none, and returns both as PEM.
func usbKey(t *testing.T, ca *smx509.Certificate, caKey *sm2.PrivateKey) (*smx509.Certificate, *sm2.PrivateKey, []byte) {
	t.Helper()
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<60))
	tmpl := &smx509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "示例"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: smx509.KeyUsageDigitalSignature,
	}
	if ca == nil {
		tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.KeyUsage = true, true, smx509.KeyUsageCertSign
		ca, caKey = tmpl, key
	}
	der, err := smx509.CreateCertificate(rand.Reader, tmpl, ca, key.Public(), caKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := smx509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// behind signs in through a gateway that shows certificates; it answers what is pending.
func behind(t *testing.T, s *server, certs ...[]byte) (*client, string) {
	t.Helper()
	c := s.anonymous(t)
	req, err := http.NewRequest("POST", s.url+"/signin", jsonBody(map[string]string{"login": "dept", "password": demo.Password}))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	for _, b := range certs {
		req.Header.Add("X-Client-Cert", url.PathEscape(string(b)))
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct{ CSRF, Pending string }
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("sign in: %s %v", res.Status, err)
	}
	c.csrf = out.CSRF
	for _, k := range res.Cookies() {
		c.cookie = k.Name + "=" + k.Value
	}
	return c, out.Pending
}

// SEC-09, SEC-48: the certificate of a USB key is a second factor where a trusted gateway
// shows it; from anywhere else the header is dropped, and the log says so.
func TestSEC09GatewayCertificate(t *testing.T) {
	ca, caKey, caPEM := usbKey(t, nil, nil)
	cert, _, own := usbKey(t, ca, caKey)
	_, _, other := usbKey(t, ca, caKey)
	_, _, foreign := usbKey(t, nil, nil)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, caPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	start := func(proxy string) *server {
		return startIn(t, data, "", "--demo", "--trusted-proxy", proxy, "--client-cert-header", "x-client-cert", "--client-cert-ca", file)
	}
	s := start("127.0.0.1")
	c, _ := behind(t, s)
	if got := c.call("POST", "/account/certificate", map[string]string{}, nil); got != http.StatusBadRequest {
		t.Errorf("bound without one: %d", got)
	}
	admin := s.client(t, "admin")
	keys := "/users/" + admin.userID("dept") + "/keys"
	if got := admin.call("POST", keys, map[string]string{"kind": "certificate", "value": "abc"}, nil); got != http.StatusBadRequest {
		t.Errorf("bound by a fingerprint that is none: %d", got)
	}
	admin.must("POST", keys, map[string]string{"kind": "certificate", "value": strings.ToUpper(clientcert.FingerprintOf(cert.Raw))}, nil)
	foreignCert, err := smx509.ParseCertificatePEM(foreign)
	if err != nil {
		t.Fatal(err)
	}
	admin.must("POST", keys, map[string]string{"kind": "certificate", "value": clientcert.FingerprintOf(foreignCert.Raw)}, nil)
	for _, tt := range []struct {
		name  string
		certs [][]byte
		want  string
	}{
		{"the own", [][]byte{own}, ""},
		{"none", nil, "factor"},
		{"another", [][]byte{other}, "factor"},
		{"two headers", [][]byte{own, own}, "factor"},
		{"of an authority that is not named, though bound", [][]byte{foreign}, "factor"},
		{"junk", [][]byte{[]byte("junk")}, "factor"},
	} {
		if _, got := behind(t, s, tt.certs...); got != tt.want {
			t.Errorf("%s: pending %q, want %q", tt.name, got, tt.want)
		}
	}
	if log := s.log.String(); strings.Contains(log, "示例") || strings.Contains(log, "it was dropped") {
		t.Errorf("the log names the owner, or speaks of a stranger:\n%s", log)
	}
	s.stop()

	s = start("10.9.8.7") // and so this address is no gateway
	if _, got := behind(t, s, own); got != "factor" {
		t.Errorf("from elsewhere: pending %q", got)
	}
	if !strings.Contains(s.log.String(), "it was dropped") {
		t.Error("the log does not tell of the header from elsewhere")
	}
}
