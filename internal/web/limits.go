package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"tianbao"
)

// Limits say how often a minute an account may do what is costly, or what helps to
// guess (security.md 42). The names are those of the flag --limits.
type Limits map[string]int

// The kinds of acts that are limited.
const (
	limitSignIn   = "signin"     // sign-ins and set-up links, by address
	limitPassword = "password"   // what asks for the old password or a code
	limitSearch   = "search"     // searching the unit register
	limitImport   = "import"     // reading a file
	limitExport   = "export"     // writing a file, verifying the trail
	limitReveal   = "reveal"     // seeing a full id or phone
	limitActivate = "activation" // trying an activation code
	limitQuestion = "question"   // asking about a notice
	limitNotice   = "notice"     // adding a file to a notice
	limitService  = "service"    // requests with a service token
	limitCode     = "code"       // having codes sent to phones, typing them in
)

// perAddress is how many times an account's measure an address has: an office shares
// one. What nobody has signed in for is measured by address alone, once.
const perAddress = 20

// DefaultLimits returns the limits that hold unless the operator sets others.
func DefaultLimits() Limits {
	return Limits{
		limitSignIn: 120, limitPassword: 10, limitSearch: 240, limitImport: 5, limitExport: 20,
		limitReveal: 20, limitActivate: 60, limitQuestion: 10, limitNotice: 30, limitService: 600, limitCode: 30,
	}
}

// ParseLimits reads changes to the default limits, such as "import=10,search=600".
func ParseLimits(text string) (Limits, error) {
	l := DefaultLimits()
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, err := strconv.Atoi(value)
		if _, ok := l[name]; !ok || err != nil || n < 1 || n > 1_000_000 {
			return nil, fmt.Errorf("web: limit %q is not name=number, with one of the names %s", part, strings.Join(slices.Sorted(maps.Keys(l)), " "))
		}
		l[name] = n
	}
	return l, nil
}

// limitOf returns the limit that a route falls under, "" for none.
func limitOf(rt *route) string {
	if rt.Rule.service {
		return limitService
	}
	switch rt.ID {
	case "signIn", "setUp", "signInOptions", "signInPasskey", "platformSignIn", "platformReturn":
		return limitSignIn
	case "changePassword", "verifyFactor", "confirmFactor", "verifyPasskey", "verifyOptions", "verifyCertificate", "addPasskey", "bindPlatform":
		return limitPassword
	case "activate", "activatePage":
		return limitActivate
	case "searchUnits", "findUnits", "searchAccounts", "reportChange", "personTimeline", "phones":
		return limitSearch
	case "askQuestion":
		return limitQuestion
	case "sendCodes", "confirmPhone":
		return limitCode
	case "attachFile":
		return limitNotice
	case "reveal", "revealContact", "erasePerson":
		return limitReveal
	case "mail", "export", "exportScreen", "exportTrail", "previewReminders", "sendReminders", "verifyTrail", "template", "exportUnits", "annotateLoad", "unitTemplate", "annotateBatch", "batchTemplate", "exportAcross", "formDraftTemplate", "exportProgress", "certify", "certificateText", "certificatePDF", "certificateWorkbook", "exportCompared", "exportStrange", "runCompare", "doubles", "drawPlan", "sendPlanCodes", "exportPlan", "platformDrift":
		return limitExport
	}
	if rt.Upload || rt.ID == "declareNil" || rt.ID == "exempt" {
		return limitImport
	}
	return ""
}

// admit counts a request under its route's limit and refuses it when there were too
// many. The first refusal of a row of them is on the trail; all of them would be a way
// to fill it.
func (s *Server) admit(r *http.Request, rt *route, v *viewer) error {
	name := limitOf(rt)
	if name == "" {
		return nil
	}
	n, from := s.Limits[name], network(address(r))
	var wait time.Duration
	var first bool
	switch {
	case v.service.ID != 0:
		wait, first = s.throttle.take(name+" token "+v.service.ID.String(), n)
	case v.signed == nil:
		wait, first = s.throttle.take(name+" from "+from, n)
	default:
		if wait, first = s.throttle.take(name+" by "+v.user().ID.String(), n); wait == 0 {
			wait, first = s.throttle.take(name+" at "+from, n*perAddress)
		}
	}
	if wait == 0 {
		return nil
	}
	if first {
		e := tianbao.Event{Actor: v.user().ID, Owner: v.report.Owner, From: address(r), What: "limited", Object: rt.ID, Result: tianbao.ResultDenied, Detail: name}
		if err := s.Auth.Record(r.Context(), e); err != nil {
			return err
		}
	}
	seconds := wholeSeconds(wait)
	return &tianbao.Error{
		Kind: tianbao.ErrTooMany, Code: "limited", RetryAfter: seconds,
		Message: fmt.Sprintf("操作太频繁了，请等 %d 秒后再试。", seconds),
	}
}

// wholeSeconds is a wait as Retry-After has it, rounded up.
func wholeSeconds(wait time.Duration) int { return int((wait + time.Second - 1) / time.Second) }

// network is the part of an address that one customer of a provider has: all of an
// IPv4 address, 64 bits of an IPv6 one.
func network(addr string) string {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return addr
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return addr
	}
	return p.String()
}
