package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // #nosec G505 -- RFC 6238's, and what every authenticator knows
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Time-based one-time codes (RFC 6238) with what all authenticators take for granted:
// HMAC-SHA-1, steps of 30 seconds, six digits.
const (
	totpStep   = 30 * time.Second
	totpSecret = 20 // bytes, the length of the MAC (RFC 4226 4, R6)
	totpSkew   = 1  // steps by which clocks may differ, before and after
)

// totpAt returns the code of a time step.
func totpAt(secret []byte, step int64) string {
	var count [8]byte
	binary.BigEndian.PutUint64(count[:], uint64(step)) // #nosec G115 -- a step is a time since 1970
	mac := hmac.New(sha1.New, secret)
	_, _ = mac.Write(count[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1_000_000)
}

func stepOf(t time.Time) int64 { return t.Unix() / int64(totpStep/time.Second) }

// totpMatch returns the step around now whose code it is and that comes after the
// last one used; ok is false when there is none. All steps are always looked at.
func totpMatch(secret []byte, code string, now time.Time, used int64) (step int64, ok bool) {
	for s := stepOf(now) - totpSkew; s <= stepOf(now)+totpSkew; s++ {
		if subtle.ConstantTimeCompare([]byte(totpAt(secret, s)), []byte(code)) == 1 && s > used && !ok {
			step, ok = s, true
		}
	}
	return step, ok
}

// newSecret makes the secret of an authenticator.
func newSecret() []byte {
	b := make([]byte, totpSecret)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// Secret32 writes a secret as people type it into an authenticator.
func Secret32(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// OTPAuth is the URI by which an authenticator takes the secret from a QR code.
func OTPAuth(login string, secret []byte) string {
	const issuer = "tianbao"
	return "otpauth://totp/" + issuer + ":" + url.PathEscape(login) + "?" +
		url.Values{"secret": {Secret32(secret)}, "issuer": {issuer}}.Encode()
}

// PlainCode takes from a typed code what people put between its characters.
func PlainCode(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-' || r == '\u3000' || r == '－' || r == '—':
			return -1
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, s)
}
