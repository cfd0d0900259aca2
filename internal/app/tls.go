package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"tianbao/internal/clock"
)

// certificate is a certificate with its key, read again when the files change: a
// renewed one is in use with the next connection, without a restart.
type certificate struct {
	cert, key string
	now       clock.Clock
	log       *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	stamp   [2]fileStamp
	looked  time.Time
	refused bool // the files as they are now cannot be used, and the log says so
}

// fileStamp tells whether a file changed.
type fileStamp struct {
	size int64
	mod  time.Time
}

// lookEvery is how often the files are looked at.
const lookEvery = time.Second

// openCertificate reads the files for the first time; then they must be right.
func openCertificate(cert, key string, now clock.Clock, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, now: now, log: log}
	var err error
	if c.stamp, err = c.stamps(); err == nil {
		err = c.load()
	}
	if err != nil {
		return nil, fmt.Errorf("不能读 TLS 证书 %s 或私钥 %s，请检查这两个文件：%w", cert, key, err)
	}
	c.looked = now()
	return c, nil
}

func (c *certificate) stamps() (s [2]fileStamp, err error) {
	for i, path := range []string{c.cert, c.key} {
		info, serr := os.Stat(path)
		if serr != nil {
			return s, serr
		}
		s[i] = fileStamp{info.Size(), info.ModTime()}
	}
	return s, nil
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return err
	}
	c.pair, c.refused = &pair, false
	return nil
}

// get answers the certificate for a connection. Files that do not go together, as in
// the middle of a renewal, leave the old one in use and are tried again.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if d := now.Sub(c.looked); d >= 0 && d < lookEvery {
		return c.pair, nil
	}
	c.looked = now
	stamp, err := c.stamps()
	if err == nil && stamp == c.stamp {
		return c.pair, nil
	}
	if err == nil {
		err = c.load()
	}
	switch {
	case err == nil:
		c.stamp = stamp
		c.log.Info("the TLS certificate was read again")
	case !c.refused:
		c.refused = true
		c.log.Error("the TLS certificate changed and cannot be used; the old one stays", "err", err)
	}
	return c.pair, nil
}

// config allows TLS 1.2 with forward secrecy and authenticated encryption, and 1.3.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{ // of TLS 1.2; those of 1.3 are all good
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		GetCertificate: c.get,
		NextProtos:     []string{"h2", "http/1.1"},
	}
}

// validateTLS refuses half a pair of files.
func (o *serveOptions) validateTLS() error {
	if (o.tlsCert == "") != (o.tlsKey == "") {
		return errors.New("--tls-cert 和 --tls-key 要一起给出")
	}
	return nil
}
