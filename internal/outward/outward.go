// Package outward holds what every package that calls another machine keeps to: TLS from
// version 1.2 on, no redirects, bounded connections. Only what does not leave this machine
// may go without TLS.
package outward

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Local reports whether a host, without its port, is this machine's loopback.
func Local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// CheckURL says what is wrong with the address of a service: it names a host, no user and
// no fragment, and begins with https:// unless the host is [Local].
func CheckURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("the address is not one")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !Local(u.Hostname())) {
		return nil, errors.New("the address must begin with https://")
	}
	return u, nil
}

// Client returns an HTTP client for one service; roots nil: those of the system. A redirect
// is an answer like another.
func Client(roots *x509.CertPool, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			TLSHandshakeTimeout: 5 * time.Second, MaxIdleConns: 4, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
