package audit

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
)

// Checkpoint is the state of all lanes at a time. Its JSON is what is signed.
type Checkpoint struct {
	Format  string   `json:"format"` // "tianbao-audit-checkpoint-1"
	At      string   `json:"at"`     // as Stamp writes it
	Records int64    `json:"records"`
	Heads   []string `json:"heads"` // by lane: "number:hash", in hexadecimal
	// From is where the lanes begin in the file that the checkpoint ends, written as
	// Heads; absent where they begin with their first records.
	From []string `json:"from,omitempty"`
}

const checkpointFormat = "tianbao-audit-checkpoint-1"

// Signed is a checkpoint with its signature (SM2 with SM3, GB/T 32918.2), as it is
// stored and exported.
type Signed struct {
	Checkpoint json.RawMessage `json:"checkpoint"`
	Signature  string          `json:"signature"` // base64 of the ASN.1 form
	Key        string          `json:"key"`       // base64 of the public key, PKIX
}

// Signer signs checkpoints.
type Signer struct {
	key *sm2.PrivateKey
	pub string
}

// NewSigner makes a signer from 32 secret bytes.
func NewSigner(secret []byte) (*Signer, error) {
	key, err := sm2.NewPrivateKey(secret)
	if err != nil {
		return nil, errors.New("audit: the secret makes no SM2 key")
	}
	der, err := smx509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("audit: encode the public key: %w", err)
	}
	return &Signer{key, base64.StdEncoding.EncodeToString(der)}, nil
}

// PublicKey returns the key with which others verify, in base64 (PKIX).
func (s *Signer) PublicKey() string { return s.pub }

// Sign makes and signs a checkpoint of the heads.
func (s *Signer) Sign(at time.Time, heads [Lanes]Head) (Signed, error) {
	return s.signFrom(at, [Lanes]Head{}, heads)
}

// signFrom is Sign for a file whose lanes begin behind the bases.
func (s *Signer) signFrom(at time.Time, bases, heads [Lanes]Head) (Signed, error) {
	c := Checkpoint{Format: checkpointFormat, At: Stamp(at), Heads: places(heads), From: from(bases)}
	for _, h := range heads {
		c.Records += h.Seq
	}
	b, err := json.Marshal(c)
	if err != nil {
		return Signed{}, fmt.Errorf("audit: encode a checkpoint: %w", err)
	}
	sig, err := s.key.SignWithSM2(rand.Reader, nil, b)
	if err != nil {
		return Signed{}, fmt.Errorf("audit: sign a checkpoint: %w", err)
	}
	return Signed{Checkpoint: b, Signature: base64.StdEncoding.EncodeToString(sig), Key: s.pub}, nil
}

// places writes heads as a checkpoint has them.
func places(heads [Lanes]Head) []string {
	out := make([]string, Lanes)
	for lane, h := range heads {
		out[lane] = fmt.Sprintf("%d:%s", h.Seq, hex.EncodeToString(h.Hash[:]))
	}
	return out
}

// from is places of bases, nil where every lane begins with its first record.
func from(bases [Lanes]Head) []string {
	for _, b := range bases {
		if b.Seq > 0 {
			return places(bases)
		}
	}
	return nil
}

// ErrSignature: the checkpoint was not signed by the key.
var ErrSignature = errors.New("audit: the signature does not fit")

// Open verifies a checkpoint with a public key (base64, PKIX) and returns it.
func (s *Signed) Open(publicKey string) (Checkpoint, error) {
	var c Checkpoint
	der, err := base64.StdEncoding.DecodeString(publicKey)
	if err != nil {
		return c, ErrSignature
	}
	pub, err := smx509.ParsePKIXPublicKey(der)
	if err != nil {
		return c, ErrSignature
	}
	key, ok := pub.(*ecdsa.PublicKey)
	sig, err := base64.StdEncoding.DecodeString(s.Signature)
	if !ok || err != nil || !sm2.VerifyASN1WithSM2(key, nil, s.Checkpoint, sig) {
		return c, ErrSignature
	}
	if json.Unmarshal(s.Checkpoint, &c) != nil || c.Format != checkpointFormat || len(c.Heads) != Lanes {
		return c, ErrSignature
	}
	return c, nil
}
