package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"tianbao"
)

// known finds out the client's address before anything else sees the request. The
// header X-Forwarded-For is believed only from trusted proxies, and only as far back
// as they go: what a client wrote into it itself changes nothing (security.md 48).
func (s *Server) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := peer(r)
		s.dropCertificate(r, within(s.Proxies, from), from)
		if f := r.Header["X-Forwarded-For"]; len(f) > 0 {
			if within(s.Proxies, from) {
				from = forwarded(s.Proxies, from, f)
			} else if !s.untold.Swap(true) {
				s.Log.Warn("X-Forwarded-For comes from an address that no --trusted-proxy names; it is not believed, and all people behind that gateway share its address", "from", from)
			}
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), keyAddress, from)))
	})
}

// peer is the address at the other end of the connection, without the port.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// forwarded walks the addresses that proxies have noted, the nearest first, as long as
// they are trusted proxies themselves; what does not read as an address ends the walk.
func forwarded(trusted []netip.Prefix, from string, headers []string) string {
	hops := strings.Split(strings.Join(headers, ","), ",")
	for _, hop := range slices.Backward(hops) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			if ap, perr := netip.ParseAddrPort(strings.TrimSpace(hop)); perr == nil {
				a, err = ap.Addr(), nil
			}
		}
		if err != nil {
			return from
		}
		from = a.Unmap().WithZone("").String()
		if !within(trusted, from) {
			return from
		}
	}
	return from
}

// within reports whether an address lies in one of the networks.
func within(nets []netip.Prefix, addr string) bool {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(a) })
}

// address is the client's address, as known found it.
func address(r *http.Request) string {
	if a, ok := r.Context().Value(keyAddress).(string); ok {
		return a
	}
	return peer(r)
}

// inNetwork keeps the offices, and the creation of the first administrator, to the
// administrators' networks where the operator named some. Signing out is free.
func (s *Server) inNetwork(r *http.Request, rt *route, v *viewer) error {
	if len(s.AdminNets) == 0 || within(s.AdminNets, address(r)) {
		return nil
	}
	if rt.ID == "setUp" || rt.ID == "setupPage" {
		return tianbao.NotFound()
	}
	if v.user().Office == "" || rt.Rule.name == everyone.name || rt.ID == "signOut" {
		return nil
	}
	return &tianbao.Error{
		Kind: tianbao.ErrForbidden, Code: "network",
		Message: "管理员账号只能在规定的管理网段内使用，请换到管理用的电脑上操作。",
	}
}
