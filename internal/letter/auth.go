package letter

import "strings"

// Auth is what the trusted host found of a mail's origin (RFC 8601); "" for what it did
// not look at.
type Auth struct {
	SPF, DKIM, DMARC string
	// Aligned tells that SPF or DKIM passed for the domain of From.
	Aligned bool
}

// Passed reports whether the mail is from the domain that From names.
func (a *Auth) Passed() bool { return a.DMARC == "pass" || a.DMARC != "fail" && a.Aligned }

// Failed reports whether the domain that From names says that the mail is not from it.
func (a *Auth) Failed() bool {
	return a.DMARC == "fail" || a.DMARC != "pass" && !a.Aligned && (a.SPF == "fail" || a.DKIM == "fail")
}

// authOf reads the results of one host. It puts them on top of what came before, so the
// fields are the topmost ones of that host up to the next Received; what the sender wrote
// stands below.
func authOf(h header, trusted, domain string) (a Auth) {
	if trusted == "" {
		return a
	}
	found := false
	for i := range h {
		if found && strings.EqualFold(h[i].name, "Received") {
			break
		}
		if !strings.EqualFold(h[i].name, "Authentication-Results") {
			continue
		}
		parts := strings.Split(unquote(h[i].value), ";")
		// The version may follow the host.
		if host := strings.Fields(parts[0]); len(host) == 0 || !strings.EqualFold(host[0], trusted) {
			continue
		}
		found = true
		for _, p := range parts[1:] {
			a.result(p, domain)
		}
	}
	return a
}

// result takes in one method, e.g. dkim=pass header.d=example.cn.
func (a *Auth) result(s, domain string) {
	words := strings.Fields(strings.ToLower(s))
	if len(words) == 0 {
		return
	}
	method, verdict, _ := strings.Cut(words[0], "=")
	method, _, _ = strings.Cut(method, "/")
	switch verdict {
	case "pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror":
	default:
		return
	}
	of := "" // the domain it is about
	for _, w := range words[1:] {
		name, v, _ := strings.Cut(w, "=")
		switch name {
		case "header.d", "smtp.mailfrom", "header.i":
			if i := strings.LastIndexByte(v, '@'); i >= 0 {
				v = v[i+1:]
			}
			if of == "" || name != "header.i" {
				of = v
			}
		}
	}
	aligned := verdict == "pass" && sameOrganisation(of, domain)
	switch method {
	case "spf":
		if a.SPF == "" {
			a.SPF = verdict
			a.Aligned = a.Aligned || aligned
		}
	case "dkim": // there may be several signatures: one that passes counts
		if a.DKIM == "" || verdict == "pass" {
			a.DKIM = verdict
		}
		a.Aligned = a.Aligned || aligned
	case "dmarc":
		if a.DMARC == "" {
			a.DMARC = verdict
		}
	}
}

// sameOrganisation reports whether one domain is the other or lies below it. What is
// common to strangers (cn, gov.cn, com.cn) is no organisation.
func sameOrganisation(a, b string) bool {
	if a == b {
		return a != ""
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if !strings.HasSuffix(b, "."+a) {
		return false
	}
	labels := strings.Split(a, ".")
	switch {
	case len(labels) < 2:
		return false
	case len(labels) == 2 && len(labels[1]) == 2 && len(labels[0]) <= 3:
		return false // gov.cn, com.cn, ln.cn
	}
	return !strings.HasSuffix(a, ".gov.cn") || len(labels) > 3 || len(labels[0]) > 2 // ln.gov.cn is a province's
}
