package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/auth"
)

const site = "https://tb.example.gov.cn"

// key is an authenticator with one passkey, written apart from the product and from the
// library that verifies it (W3C Web Authentication, 6.1 and 6.5).
type key struct {
	private  *ecdsa.PrivateKey
	id       []byte
	handle   []byte
	counter  uint32
	counting bool
	// What the tests bend.
	origin, rp string
	flags      byte // user present 1, user verified 4, attested 64
}

func newAuthenticator(t *testing.T, counting bool) *key {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return &key{private: k, id: id, counting: counting, origin: site, rp: "tb.example.gov.cn", flags: 1 | 4}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// asked is what both kinds of options have that an authenticator looks at.
type asked struct {
	Challenge        string
	UserVerification string
	RPID             string `json:"rpId"`
	RP               struct{ ID string }
	User             struct{ ID string }
	Selection        struct{ UserVerification string } `json:"authenticatorSelection"`
	Exclude          []struct{ ID string }             `json:"excludeCredentials"`
	Allow            []struct{ ID string }             `json:"allowCredentials"`
}

func (k *key) read(t *testing.T, options string) asked {
	t.Helper()
	var a asked
	if err := json.Unmarshal([]byte(options), &a); err != nil {
		t.Fatal(err)
	}
	if a.Selection.UserVerification != "required" && a.UserVerification != "required" {
		t.Errorf("the options do not ask who holds the key: %s", options)
	}
	return a
}

func (k *key) client(typ, challenge string) []byte {
	b, _ := json.Marshal(map[string]any{"type": typ, "challenge": challenge, "origin": k.origin, "crossOrigin": false})
	return b
}

func (k *key) authData(more byte) []byte {
	if k.counting {
		k.counter++
	}
	rp := sha256.Sum256([]byte(k.rp))
	return binary.BigEndian.AppendUint32(append(rp[:], k.flags|more), k.counter)
}

// create answers options of a new passkey.
func (k *key) create(t *testing.T, options string) string {
	t.Helper()
	a := k.read(t, options)
	k.handle, _ = base64.RawURLEncoding.DecodeString(a.User.ID)
	point, err := k.private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	data := append(k.authData(64), make([]byte, 16)...) // no model is told
	data = binary.BigEndian.AppendUint16(data, uint16(len(k.id)))
	data = append(data, k.id...)
	// COSE_Key {1: 2, 3: -7, -1: 1, -2: x, -3: y}
	data = append(data, 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32)
	data = append(data, point[1:33]...)
	data = append(data, 0x22, 0x58, 32)
	data = append(data, point[33:]...)
	// {"fmt": "none", "attStmt": {}, "authData": data}
	object := slices.Concat([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), []byte{byte(len(data))}, data)
	return k.answer(map[string]any{"clientDataJSON": b64(k.client("webauthn.create", a.Challenge)), "attestationObject": b64(object)})
}

// get answers options that ask for the passkey.
func (k *key) get(t *testing.T, options string) string {
	t.Helper()
	a := k.read(t, options)
	client := k.client("webauthn.get", a.Challenge)
	data := k.authData(0)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(slices.Clone(data), hash[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, k.private, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return k.answer(map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(sig), "userHandle": b64(k.handle)})
}

func (k *key) answer(response map[string]any) string {
	b, _ := json.Marshal(map[string]any{"id": b64(k.id), "rawId": b64(k.id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response})
	return string(b)
}

// withPasskeys turns passkeys on.
func withPasskeys(t *testing.T, d *desk) {
	t.Helper()
	var err error
	if d.Passkeys, err = auth.NewPasskeys(site); err != nil {
		t.Fatal(err)
	}
}

// add adds a passkey to the account of a session; it returns the session's new token.
func (d *desk) add(t *testing.T, token string, k *key) (string, []string) {
	t.Helper()
	g := d.resume(t, token)
	options, err := d.StartPasskey(t.Context(), g, token)
	if err != nil {
		t.Fatal(err)
	}
	token, codes, err := d.AddPasskey(t.Context(), g, token, "钥匙", k.create(t, options), "a")
	if err != nil {
		t.Fatal(err)
	}
	return token, codes
}

// SEC-09: a passkey is a second factor of its own, and a sign-in of its own.
func TestSEC09Passkeys(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		withPasskeys(t, d)
		first := d.signIn(t)
		other := d.signIn(t)
		k := newAuthenticator(t, true)
		token, codes := d.add(t, first, k)
		if len(codes) != 10 {
			t.Errorf("%d recovery codes with the first second factor", len(codes))
		}
		if g := d.resume(t, token); g.Pending != "" || !d.SteppedUp(g) {
			t.Errorf("after adding: pending %q", g.Pending)
		}
		for name, old := range map[string]string{"the token before": first, "the other session": other} {
			if _, err := d.Resume(t.Context(), old); tianbao.KindOf(err) != tianbao.ErrUnsigned {
				t.Errorf("%s goes on: %v", name, err)
			}
		}
		second := newAuthenticator(t, false) // as passkeys are that are copied between devices
		if token, codes = d.add(t, token, second); codes != nil {
			t.Error("recovery codes again")
		}
		d.pass(auth.StepLife)
		if _, err := d.StartPasskey(t.Context(), d.resume(t, token), token); tianbao.KindOf(err) != tianbao.ErrForbidden {
			t.Errorf("another one without showing the first: %v", err)
		}

		// As second factor.
		token = d.signIn(t)
		g := d.resume(t, token)
		if g.Pending != auth.PendingFactor {
			t.Fatalf("pending %q", g.Pending)
		}
		for _, k := range []*key{k, second, second} {
			options, err := d.StartVerify(t.Context(), g, token)
			if err != nil {
				t.Fatal(err)
			}
			if token, err = d.VerifyPasskey(t.Context(), g, token, k.get(t, options), "a"); err != nil {
				t.Fatal(err)
			}
			if g = d.resume(t, token); g.Pending != "" || !d.SteppedUp(g) {
				t.Errorf("after showing: pending %q", g.Pending)
			}
		}
		// Instead of a password, also while guesses have locked that.
		for range auth.LockAccount {
			_, _, _ = d.SignIn(t.Context(), "clerk", "wrong", "b")
		}
		secret, options, err := d.StartPasskeySignIn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		answer := k.get(t, options)
		token, u, err := d.PasskeySignIn(t.Context(), secret, answer, "a")
		if err != nil || u.Login != "clerk" {
			t.Fatalf("sign in: %v", err)
		}
		if g := d.resume(t, token); g.Pending != "" || !d.SteppedUp(g) || g.Method != auth.ByPasskey {
			t.Errorf("signed in: pending %q, by %s", g.Pending, g.Method)
		}
		if _, _, err := d.PasskeySignIn(t.Context(), secret, answer, "a"); err == nil {
			t.Error("the answer counts twice")
		}
		// A recovery code goes without an authenticator with codes.
		if codes, err = d.NewRecovery(t.Context(), d.resume(t, token), "a"); err != nil {
			t.Fatal(err)
		}
		d.pass(auth.LockWindow + time.Second)
		token = d.signIn(t)
		if _, err := d.VerifyFactor(t.Context(), d.resume(t, token), token, codes[0], "a"); err != nil {
			t.Errorf("a recovery code: %v", err)
		}
		// A disabled account stays out.
		if err := d.SetDisabled(t.Context(), auth.By{}, "clerk", true); err != nil {
			t.Fatal(err)
		}
		secret, options, _ = d.StartPasskeySignIn(t.Context())
		if _, _, err := d.PasskeySignIn(t.Context(), secret, k.get(t, options), "a"); err == nil {
			t.Error("a disabled account signs in")
		}
	})
}

// SEC-09: what does not hold is refused, at each step, and is on the trail.
func TestSEC09PasskeysRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		withPasskeys(t, d)
		ctx := t.Context()
		token := d.signIn(t)
		enrolling := map[string]func(k *key){
			"another origin":         func(k *key) { k.origin = "https://tb.example.gov.cn.evil.example" },
			"another port":           func(k *key) { k.origin = site + ":8443" },
			"no TLS":                 func(k *key) { k.origin = "http://tb.example.gov.cn" },
			"another party":          func(k *key) { k.rp = "example.gov.cn" },
			"nobody was verified":    func(k *key) { k.flags = 1 },
			"nobody was there":       func(k *key) { k.flags = 4 },
			"copied, and not copied": func(k *key) { k.flags |= 16 },
		}
		for name, bend := range enrolling {
			g := d.resume(t, token)
			options, err := d.StartPasskey(ctx, g, token)
			if err != nil {
				t.Fatal(err)
			}
			k := newAuthenticator(t, true)
			bend(k)
			if _, _, err := d.AddPasskey(ctx, g, token, "", k.create(t, options), "a"); tianbao.KindOf(err) != tianbao.ErrInvalid {
				t.Errorf("adding, %s: %v", name, err)
			}
		}
		g := d.resume(t, token)
		options, _ := d.StartPasskey(ctx, g, token)
		good := newAuthenticator(t, true)
		d.pass(auth.CeremonyLife)
		if _, _, err := d.AddPasskey(ctx, g, token, "", good.create(t, options), "a"); err == nil {
			t.Error("adding, too late")
		}
		k := newAuthenticator(t, true)
		token, _ = d.add(t, token, k)
		options, _ = d.StartPasskey(ctx, d.resume(t, token), token)
		if a := k.read(t, options); len(a.Exclude) != 1 || a.Exclude[0].ID != b64(k.id) {
			t.Errorf("the own passkey is not left out: %s", options)
		}
		if _, _, err := d.AddPasskey(ctx, d.resume(t, token), token, "", k.create(t, options), "a"); tianbao.KindOf(err) != tianbao.ErrConflict {
			t.Errorf("adding the same: %v", err)
		}

		// Somebody else's, bound to another account.
		if _, err := d.CreateUser(ctx, auth.By{}, tianbao.User{Login: "second", Name: "乙"}, "Right-Word-1"); err != nil {
			t.Fatal(err)
		}
		theirs := newAuthenticator(t, true)
		their, _, err := d.SignIn(ctx, "second", "Right-Word-1", "a")
		if err != nil {
			t.Fatal(err)
		}
		d.add(t, their, theirs)

		stolen := *k
		showing := map[string]func() *key{
			"another origin":      func() *key { c := *k; c.origin = "https://evil.example"; return &c },
			"another party":       func() *key { c := *k; c.rp = "evil.example"; return &c },
			"nobody was verified": func() *key { c := *k; c.flags = 1; return &c },
			"another key":         func() *key { c := *k; c.private = theirs.private; return &c },
			"somebody else's":     func() *key { return theirs },
			"of nobody":           func() *key { return newAuthenticator(t, true) },
		}
		for name, bent := range showing {
			token := d.signIn(t)
			g := d.resume(t, token)
			options, err := d.StartVerify(ctx, g, token)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.VerifyPasskey(ctx, g, token, bent().get(t, options), "a"); tianbao.KindOf(err) != tianbao.ErrInvalid {
				t.Errorf("showing, %s: %v", name, err)
			}
			if g := d.resume(t, token); g.Pending != auth.PendingFactor {
				t.Errorf("showing, %s: pending %q", name, g.Pending)
			}
			if name == "somebody else's" {
				continue // which does sign that somebody in
			}
			secret, options, _ := d.StartPasskeySignIn(ctx)
			if _, _, err := d.PasskeySignIn(ctx, secret, bent().get(t, options), "a"); tianbao.KindOf(err) != tianbao.ErrInvalid {
				t.Errorf("signing in, %s: %v", name, err)
			}
		}
		// The account that the handle names does not have this key.
		liar := *theirs
		liar.handle = k.handle
		secret, options, _ := d.StartPasskeySignIn(ctx)
		if _, _, err := d.PasskeySignIn(ctx, secret, liar.get(t, options), "a"); err == nil {
			t.Error("a key signs somebody else in")
		}
		// A copy whose counter stayed behind, and an answer for another purpose.
		token = d.signIn(t)
		g = d.resume(t, token)
		options, _ = d.StartVerify(ctx, g, token)
		fresh, err := d.VerifyPasskey(ctx, g, token, k.get(t, options), "a")
		if err != nil {
			t.Fatal(err)
		}
		g = d.resume(t, fresh)
		options, _ = d.StartVerify(ctx, g, fresh)
		stolen.counter = 0
		if _, err := d.VerifyPasskey(ctx, g, fresh, stolen.get(t, options), "a"); err == nil {
			t.Error("a copy whose counter stayed behind")
		}
		secret, _, _ = d.StartPasskeySignIn(ctx)
		options, _ = d.StartVerify(ctx, g, fresh)
		if _, _, err := d.PasskeySignIn(ctx, secret, k.get(t, options), "a"); err == nil {
			t.Error("an answer to another question")
		}
		for _, junk := range []string{"", "{}", "null", `{"id":"a","rawId":"a","type":"public-key","response":{}}`} {
			_, _ = d.StartVerify(ctx, g, fresh)
			if _, err := d.VerifyPasskey(ctx, g, fresh, junk, "a"); tianbao.KindOf(err) != tianbao.ErrInvalid {
				t.Errorf("%q: %v", junk, err)
			}
		}
		if err := d.Unbind(ctx, g, mustOne(t, d, g).ID, "a"); tianbao.KindOf(err) != tianbao.ErrInvalid {
			t.Errorf("an administrator removes the last factor: %v", err)
		}
	})
}

func mustOne(t *testing.T, d *desk, g *auth.Signed) auth.Credential {
	t.Helper()
	all, err := d.Credentials(t.Context(), g.User.ID)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d credentials, %v", len(all), err)
	}
	return all[0]
}

func TestPasskeyOrigins(t *testing.T) {
	for origin, ok := range map[string]bool{
		site: true, site + ":8443": true, "http://localhost:8080": true,
		"http://127.0.0.1:8080": false, "https://10.1.2.3": false, "https://[::1]": false,
		"http://tb.example.gov.cn": false, "": false, "tb.example.gov.cn": false,
	} {
		if _, err := auth.NewPasskeys(origin); (err == nil) != ok {
			t.Errorf("%q: %v", origin, err)
		}
	}
}

// Strangers' bytes: what a browser sends as its answer.
func FuzzPasskeyAnswer(f *testing.F) {
	f.Add(`{"id":"a","rawId":"a","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"","signature":"","userHandle":""}}`)
	f.Add(`{"id":"a","rawId":"a","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVgA"}}`)
	f.Fuzz(func(t *testing.T, answer string) { auth.ReadAnswers(answer) })
}
