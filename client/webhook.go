package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Skew is how far the time of a webhook may be from the receiver's.
const Skew = 5 * time.Minute

// The errors of VerifyWebhook.
var (
	ErrSecret    = errors.New("tianbao: the secret of the webhook is not one")
	ErrSignature = errors.New("tianbao: the webhook is not signed with the secret")
	ErrTime      = errors.New("tianbao: the webhook is too old, or from the future")
)

// VerifyWebhook returns the event of a request whose body was read, if it is signed with the
// secret (whsec_…) not longer ago than [Skew]. A ping is an event of the type "ping". What
// was received before is the caller's to know, by the id.
func VerifyWebhook(secret string, header http.Header, body []byte, now time.Time) (Event, error) {
	var e Event
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) == 0 {
		return e, ErrSecret
	}
	id, at := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	signed := false
	for s := range strings.FieldsSeq(header.Get("Webhook-Signature")) {
		scheme, value, _ := strings.Cut(s, ",")
		got, err := base64.StdEncoding.DecodeString(value)
		signed = signed || scheme == "v1" && err == nil && hmac.Equal(got, want)
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if !signed || err != nil || id == "" {
		return e, ErrSignature
	}
	if d := now.Sub(time.Unix(seconds, 0)); d > Skew || d < -Skew {
		return e, ErrTime
	}
	var sent struct {
		Type      string    `json:"type"`
		ID        string    `json:"id"`
		Timestamp time.Time `json:"timestamp"`
		Data      Event     `json:"data"`
	}
	if json.Unmarshal(body, &sent) != nil || sent.ID != id {
		return e, ErrSignature
	}
	e = sent.Data
	e.ID, e.Type, e.At = sent.ID, sent.Type, sent.Timestamp
	return e, nil
}
