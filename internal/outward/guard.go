package outward

import (
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// ErrInner tells that an address leads into a network that is not allowed.
var ErrInner = errors.New("the address is in a network that the operator has not allowed")

// Guard keeps clients away from this machine and the networks around it where somebody else
// than the operator names the address. It looks at the address that is dialled, so a name
// that resolves otherwise the second time leads nowhere either.
type Guard struct {
	// Allow are networks that may be called nevertheless.
	Allow []netip.Prefix
}

// inner are networks that are not the internet, beside those that net/netip names: shared
// by carriers (RFC 6598), for protocols (RFC 6890), benchmarks (RFC 2544), reserved, and the
// forms of IPv6 that carry an IPv4 address.
var inner = [...]string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"}

// Check refuses an IP address that may not be called.
func (g *Guard) Check(ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(ip) }
	if slices.ContainsFunc(g.Allow, in) {
		return nil
	}
	if !ip.IsValid() || !ip.IsGlobalUnicast() || ip.IsPrivate() || slices.ContainsFunc(inner[:], func(p string) bool { return in(netip.MustParsePrefix(p)) }) {
		return ErrInner
	}
	return nil
}

// CheckHost is [Guard.Check] for a host of an address: what is a name is looked at when it
// is dialled.
func (g *Guard) CheckHost(host string) error {
	if ip, err := netip.ParseAddr(host); err == nil {
		return g.Check(ip)
	}
	return nil
}

// Client is [Client] for addresses under the guard.
func (g *Guard) Client(roots *x509.CertPool, timeout time.Duration) *http.Client {
	c := Client(roots, timeout)
	d := &net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return ErrInner
		}
		return g.Check(at.Addr())
	}}
	c.Transport.(*http.Transport).DialContext = d.DialContext
	return c
}
