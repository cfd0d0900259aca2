package browser

import (
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
)

// Authenticator is a device with passkeys that the browser believes to be in the machine.
type Authenticator struct {
	p  *Page
	id webauthn.AuthenticatorID
}

// Authenticator gives the page's browser a device that keeps passkeys, counts how often
// it signed, and knows its owner.
func (p *Page) Authenticator() *Authenticator {
	p.t.Helper()
	call(p, webauthn.Enable, webauthn.EnableParams{})
	r := ask(p, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, AutomaticPresenceSimulation: true, IsUserVerified: true,
	}})
	return &Authenticator{p: p, id: r.AuthenticatorID}
}

// Knows says whether the device recognises its owner from now on.
func (a *Authenticator) Knows(owner bool) {
	a.p.t.Helper()
	call(a.p, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: owner})
}

// Forges makes the device sign wrongly from now on.
func (a *Authenticator) Forges(signature bool) {
	a.p.t.Helper()
	call(a.p, webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{AuthenticatorID: a.id, IsBogusSignature: &signature})
}

// Count returns how often each passkey of the device has signed.
func (a *Authenticator) Count() []int {
	a.p.t.Helper()
	var out []int
	for _, c := range ask(a.p, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: a.id}).Credentials {
		out = append(out, int(c.SignCount))
	}
	return out
}

// Rewind puts back the counters of the device's passkeys, as on a copy from before.
func (a *Authenticator) Rewind() {
	a.p.t.Helper()
	for _, c := range ask(a.p, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: a.id}).Credentials {
		call(a.p, webauthn.RemoveCredential, webauthn.RemoveCredentialParams{AuthenticatorID: a.id, CredentialID: c.CredentialID})
		// Not as webauthn.Credential, which always speaks of what this device does not have.
		call(a.p, cdp.Command[map[string]any, cdp.Empty]{Method: webauthn.CommandAddCredential}, map[string]any{
			"authenticatorId": a.id,
			"credential": map[string]any{
				"credentialId": c.CredentialID, "isResidentCredential": true, "rpId": c.RpID, "privateKey": c.PrivateKey,
				"userHandle": c.UserHandle, "signCount": 1,
			},
		})
	}
}

// Remove takes the device out of the machine.
func (a *Authenticator) Remove() {
	a.p.t.Helper()
	call(a.p, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: a.id})
}
