package clientcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
)

func day() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

// issuer is an authority, or an owner of a certificate.
type issuer struct {
	key  crypto.Signer
	cert *smx509.Certificate
}

func newKey(t testing.TB, curve string) crypto.Signer {
	t.Helper()
	if curve == "sm2" {
		k, err := sm2.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// issue makes a certificate; by nil signs itself.
func issue(t testing.TB, by *issuer, curve string, from, to time.Time) *issuer {
	t.Helper()
	key := newKey(t, curve)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &smx509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "示例"}, NotBefore: from, NotAfter: to,
		KeyUsage: smx509.KeyUsageDigitalSignature, ExtKeyUsage: []smx509.ExtKeyUsage{smx509.ExtKeyUsageClientAuth},
	}
	parent := tmpl
	signer := key
	if by == nil {
		tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.KeyUsage = true, true, smx509.KeyUsageCertSign
	} else {
		parent, signer = by.cert, by.key
	}
	der, err := smx509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := smx509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{key, cert}
}

func header(i *issuer) string {
	return url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw})))
}

// SEC-09: a certificate counts in its days, whole, alone, and signed by an authority that
// is named.
func TestSEC09Certificates(t *testing.T) {
	from, to := day().AddDate(-1, 0, 0), day().AddDate(1, 0, 0)
	ca, other := issue(t, nil, "sm2", from, to), issue(t, nil, "sm2", from, to)
	own := issue(t, ca, "sm2", from, to)
	own256 := issue(t, ca, "p256", from, to)
	roots := smx509.NewCertPool()
	roots.AddCert(ca.cert)
	tests := []struct {
		name, value string
		roots       *smx509.CertPool
		ok          bool
	}{
		{"of SM2", header(own), nil, true},
		{"of SM2, by an authority", header(own), roots, true},
		{"of P-256, by an SM2 authority", header(own256), roots, true},
		{"by another authority", header(issue(t, other, "sm2", from, to)), roots, false},
		{"by another authority, none named", header(issue(t, other, "sm2", from, to)), nil, true},
		{"by the owner", header(issue(t, nil, "sm2", from, to)), roots, false},
		{"over", header(issue(t, ca, "sm2", from, day().Add(-time.Second))), nil, false},
		{"not yet", header(issue(t, ca, "sm2", day().Add(time.Second), to)), nil, false},
		{"an authority over", header(issue(t, issue(t, nil, "sm2", from, day().Add(-time.Second)), "sm2", from, to)), roots, false},
		{"two", header(own) + header(own), nil, false},
		{"with something behind", header(own) + "x", nil, false},
		{"blanks escaped as plus", strings.ReplaceAll(header(own), "%20", "+"), nil, false},
		{"not escaped", "-----BEGIN CERTIFICATE-----", nil, false},
		{"cut", header(own)[:300], nil, false},
		{"bad escape", header(own) + "%zz", nil, false},
		{"another block", url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: own.cert.Raw}))), nil, false},
		{"long", strings.Repeat("A", Most+1), nil, false},
		{"empty", "", nil, false},
	}
	for _, tt := range tests {
		c := &Checker{Roots: tt.roots, Now: day}
		got, err := c.Fingerprint(tt.value)
		switch {
		case tt.ok && (err != nil || len(got) != 64):
			t.Errorf("%s: %q %v", tt.name, got, err)
		case !tt.ok && (!errors.Is(err, ErrUnread) || got != ""):
			t.Errorf("%s: %q %v, want none", tt.name, got, err)
		case err != nil && strings.Contains(err.Error(), "示例"):
			t.Errorf("%s: the error names the owner: %v", tt.name, err)
		}
	}
	c := &Checker{Now: day}
	if a, _ := c.Fingerprint(header(own)); a != FingerprintOf(own.cert.Raw) || ReadFingerprint(strings.ToUpper(a[:2]+":"+a[2:])) != a {
		t.Errorf("the fingerprint has more than one spelling: %s", a)
	}
	for _, bad := range []string{"", "abc", strings.Repeat("g", 64), strings.Repeat("a", 63)} {
		if got := ReadFingerprint(bad); got != "" {
			t.Errorf("%q reads as a fingerprint", bad)
		}
	}
}

func TestLoadRoots(t *testing.T) {
	dir := t.TempDir()
	ca := issue(t, nil, "sm2", day(), day().AddDate(1, 0, 0))
	good, bad := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "bad.pem")
	for path, b := range map[string][]byte{good: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw}), bad: []byte("none")} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := LoadRoots(good); err != nil {
		t.Error(err)
	}
	for _, path := range []string{bad, filepath.Join(dir, "none")} {
		if _, err := LoadRoots(path); err == nil {
			t.Errorf("%s reads", path)
		}
	}
}

// Whatever the header holds, it is one certificate or none, and nothing breaks.
func FuzzFingerprint(f *testing.F) {
	own := issue(f, nil, "sm2", day().AddDate(-1, 0, 0), day().AddDate(1, 0, 0))
	f.Add(header(own))
	f.Add(header(own)[:200])
	f.Add("-----BEGIN%20CERTIFICATE-----%0A-----END%20CERTIFICATE-----")
	f.Add("%")
	roots := smx509.NewCertPool()
	roots.AddCert(own.cert)
	f.Fuzz(func(t *testing.T, value string) {
		for _, c := range []*Checker{{Now: day}, {Now: day, Roots: roots}} {
			got, err := c.Fingerprint(value)
			if (err == nil) != (ReadFingerprint(got) == got && got != "") {
				t.Errorf("%q %v", got, err)
			}
		}
	})
}
