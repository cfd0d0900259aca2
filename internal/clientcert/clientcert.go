// Package clientcert reads the client certificate that a gateway shows in a header.
//
// A USB key holds an SM2 key pair and its certificate. The gateway in front, which speaks
// the national TLS, asks the browser for the certificate, verifies that the key is there,
// and hands the certificate on, as PEM written for a URL. This package says which
// certificate it is; whose it is, is for who keeps accounts.
//
// Rules: what does not read as exactly one certificate is none; a certificate outside its
// days is none; where the operator names authorities, one that they did not sign is none.
//
// Danger: the header proves nothing by itself. Only one that came from a trusted gateway
// may be read here, and a certificate names its owner: neither it nor its subject may
// reach a log or an error.
package clientcert

import (
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"
)

// Most bounds the header: certificates of authorities in use take 1 to 2 KB.
const Most = 16 << 10

// ErrUnread is the error of a header that holds no certificate that counts. It is
// wrapped with why, which tells nothing of the owner.
var ErrUnread = errors.New("clientcert: no certificate that counts")

func unread(why string) error { return fmt.Errorf("%w: %s", ErrUnread, why) }

// Checker verifies certificates.
type Checker struct {
	// Roots are the authorities that count; nil: the gateway's verification is enough.
	Roots *smx509.CertPool
	Now   func() time.Time
}

// LoadRoots reads authorities from a PEM file.
func LoadRoots(path string) (*smx509.CertPool, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("clientcert: read the authorities: %w", err)
	}
	pool := smx509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("clientcert: %s holds no certificate in PEM", path)
	}
	return pool, nil
}

// Fingerprint returns the fingerprint of the certificate in a header's value: SM3 of its
// DER, in hexadecimal.
func (c *Checker) Fingerprint(value string) (string, error) {
	cert, err := parse(value)
	if err != nil {
		return "", err
	}
	now := c.Now()
	if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return "", unread("it is outside its days")
	}
	if c.Roots != nil {
		_, err := cert.Verify(smx509.VerifyOptions{Roots: c.Roots, CurrentTime: now, KeyUsages: []smx509.ExtKeyUsage{smx509.ExtKeyUsageAny}})
		if err != nil {
			return "", unread("no authority that is named has signed it")
		}
	}
	return FingerprintOf(cert.Raw), nil
}

// FingerprintOf returns the fingerprint of a certificate's DER.
func FingerprintOf(der []byte) string {
	sum := sm3.Sum(der)
	return hex.EncodeToString(sum[:])
}

// parse reads the one certificate of a header's value.
func parse(value string) (*smx509.Certificate, error) {
	if len(value) > Most {
		return nil, unread("it is too long")
	}
	text, err := url.PathUnescape(value) // a plus sign is one of base 64
	if err != nil {
		return nil, unread("it is not written for a URL")
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return nil, unread("it is not one certificate in PEM")
	}
	cert, err := smx509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, unread("it does not parse")
	}
	return cert, nil
}

// ReadFingerprint brings a fingerprint that somebody typed into its one spelling; "" when
// it is none.
func ReadFingerprint(text string) string {
	text = strings.ToLower(strings.NewReplacer(":", "", " ", "", "-", "").Replace(text))
	if b, err := hex.DecodeString(text); err != nil || len(b) != sm3.Size {
		return ""
	}
	return text
}
