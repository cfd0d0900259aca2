package web

import "tianbao"

// Sign-in, second factors and activation codes as programs read and send them.

type wireSessions struct {
	Name     string            `json:"name"` // of the account's owner
	Sessions []wireLiveSession `json:"sessions"`
}

type wireLiveSession struct {
	ID      tianbao.ID `json:"id"`
	Since   string     `json:"since"`
	Seen    string     `json:"seen"`
	Address string     `json:"address"`
	Method  string     `json:"method"` // password, passkey or oidc
	Own     bool       `json:"own"`    // it is the one that asks
}

type wireEndSession struct {
	Session tianbao.ID `json:"session,omitempty"` // none: all but the one that asks
}

type wireFactor struct {
	Set      string `json:"set,omitempty"` // since when there is one
	Required bool   `json:"required"`
	Recovery int    `json:"recovery"`         // recovery codes left
	Secret   string `json:"secret,omitempty"` // of the one being set up, in base 32
	URI      string `json:"uri,omitempty"`    // the same for an authenticator
}

type wireCode struct {
	Code string `json:"code"`
	Next string `json:"next,omitempty"`
}

type wireRecovery struct {
	Codes []string `json:"codes"` // shown this once
	CSRF  string   `json:"csrf"`  // the session's new token
}

type wirePeople struct {
	Units []wireUnitPeople `json:"units"`
	Next  int              `json:"next,omitempty"` // offset of the next page, 0: none
}

type wireUnitPeople struct {
	Unit     tianbao.ID        `json:"unit"`
	Name     string            `json:"name"`
	Code     string            `json:"code"`
	Accounts []wireUnitAccount `json:"accounts"`
	Open     string            `json:"open,omitempty"` // until when a code works
}

type wireUnitAccount struct {
	ID       tianbao.ID `json:"id"`
	Name     string     `json:"name"`
	Disabled bool       `json:"disabled"`
	LastSeen string     `json:"last_seen,omitempty"`
}

type wireIssue struct {
	Unit  tianbao.ID `json:"unit"`
	Below bool       `json:"below,omitempty"` // all units of its subtree without an account
}

type wireSlips struct {
	Slips []wireSlip `json:"slips"`
}

type wireSlip struct {
	Unit     tianbao.ID `json:"unit"`
	Name     string     `json:"name"`
	UnitCode string     `json:"unit_code"`
	Person   string     `json:"person,omitempty"` // whose account is new
	Code     string     `json:"code"`             // shown this once
	URL      string     `json:"url"`
	Until    string     `json:"until"`
}

type wireActivate struct {
	Code     string `json:"code"`
	Login    string `json:"login,omitempty"`
	Name     string `json:"name,omitempty"`
	Password string `json:"password,omitempty"` // none: only look what the code is for
	Again    string `json:"again,omitempty"`
}

type wireActivation struct {
	Unit  string `json:"unit"`
	Login string `json:"login,omitempty"` // of the account that gets a new password, or that was made
	Done  bool   `json:"done"`
}

type wireKeys struct {
	Keys []wireKey `json:"keys"`
}

type wireKey struct {
	ID      tianbao.ID `json:"id"`
	Kind    string     `json:"kind"` // passkey, oidc or certificate
	Name    string     `json:"name"`
	Created string     `json:"created"`
	Used    string     `json:"used,omitempty"`
}

type wireKeyName struct {
	Name string `json:"name"`
}

// wireCeremony is what the browser's API of passkeys is asked.
type wireCeremony struct {
	Options string `json:"options"` // JSON of the W3C's …OptionsJSON
}

type wirePasskey struct {
	Name     string `json:"name,omitempty"`
	Response string `json:"response"` // JSON of the W3C's RegistrationResponseJSON
}

type wireAssertion struct {
	Response string `json:"response"` // JSON of the W3C's AuthenticationResponseJSON
	Next     string `json:"next,omitempty"`
}

type wireNext struct {
	Next string `json:"next,omitempty"`
}

type wireBind struct {
	Kind  string `json:"kind"`  // oidc or certificate
	Value string `json:"value"` // the subject; the SM3 fingerprint
}

type wireGo struct {
	URL string `json:"url"` // where the browser goes next
}
