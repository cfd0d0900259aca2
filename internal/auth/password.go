package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"tianbao"
)

// Params are the costs of argon2id. They are stored with each hash, so raising
// them leaves old hashes valid until their owner signs in and is hashed anew.
type Params struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// DefaultParams cost about 20 ms and 19 MiB a password (OWASP's second choice), so
// that a morning of sign-ins does not fill a two-core machine.
func DefaultParams() Params { return Params{MemoryKiB: 19 * 1024, Passes: 2, Threads: 1} }

const (
	saltLen = 16
	hashLen = 32
)

// hasher bounds how many passwords are hashed at once: each takes its memory.
type hasher struct {
	params Params
	slots  chan struct{}
	runs   atomic.Int64
}

func newHasher(p Params) *hasher { return &hasher{params: p, slots: make(chan struct{}, 2)} }

func (h *hasher) derive(ctx context.Context, p Params, password string, salt []byte) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	h.runs.Add(1)
	return argon2.IDKey([]byte(password), salt, p.Passes, p.MemoryKiB, p.Threads, hashLen), nil
}

// hash returns the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	sum, err := h.derive(ctx, h.params, password, salt)
	if err != nil {
		return "", err
	}
	return h.phc(salt, sum), nil
}

func (h *hasher) phc(salt, sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.params.MemoryKiB, h.params.Passes, h.params.Threads, b64.EncodeToString(salt), b64.EncodeToString(sum))
}

// decoy returns the PHC string of no password. It costs as much to verify as any; made of
// chance alone it costs nothing to make, and a start is spared the memory of a hash.
func (h *hasher) decoy() string {
	chance := make([]byte, saltLen+hashLen)
	_, _ = rand.Read(chance) // never fails (crypto/rand)
	return h.phc(chance[:saltLen], chance[saltLen:])
}

// verify compares a password with a PHC string; stale tells that the string was
// made with other costs than today's.
func (h *hasher) verify(ctx context.Context, password, phc string) (ok, stale bool, err error) {
	p, salt, want, err := parsePHC(phc)
	if err != nil {
		return false, false, err
	}
	got, err := h.derive(ctx, p, password, salt)
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, p != h.params, nil
}

func parsePHC(s string) (p Params, salt, sum []byte, err error) {
	parts := strings.Split(s, "$")
	var version int
	if len(parts) != 6 || parts[1] != "argon2id" {
		return p, nil, nil, fmt.Errorf("auth: stored hash is not argon2id")
	}
	if _, err = fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return p, nil, nil, fmt.Errorf("auth: stored hash has another argon2 version")
	}
	if _, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.MemoryKiB, &p.Passes, &p.Threads); err != nil {
		return p, nil, nil, fmt.Errorf("auth: stored hash has no parameters: %w", err)
	}
	if p.MemoryKiB > 1<<20 || p.Passes == 0 || p.Passes > 100 || p.Threads == 0 {
		return p, nil, nil, fmt.Errorf("auth: stored hash has parameters out of bounds")
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err == nil {
		sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err != nil || len(salt) < 8 || len(sum) != hashLen {
		return p, nil, nil, fmt.Errorf("auth: stored hash is damaged")
	}
	return p, salt, sum, nil
}

// Hashed tells how many passwords have been hashed so far, right or wrong: the work of a
// sign-in that could tell one name from another.
func (s *Service) Hashed() int64 { return s.hash.runs.Load() }

// newPassword checks a new password of an account against the policy and those it had
// before, and returns its hash.
func (s *Service) newPassword(ctx context.Context, u *tianbao.User, password string) (string, error) {
	if err := s.Policy.Check(u.Login, password); err != nil {
		return "", err
	}
	if s.Policy.Profile == ProfileDengbao && len(u.Altered) == 0 {
		hashes, err := s.store.PasswordHashes(ctx, u.ID)
		if err != nil {
			return "", err
		}
		for _, phc := range hashes {
			if phc == "" {
				continue // an account that never had a password
			}
			same, _, err := s.hash.verify(ctx, password, phc)
			if err != nil {
				return "", err
			}
			if same {
				return "", tianbao.Invalid("old_password", "新密码不能与最近用过的 5 个密码相同，请换一个。")
			}
		}
	}
	return s.hash.hash(ctx, password)
}

// passwordAlphabet leaves out what looks alike on paper (0 O 1 l I).
const passwordAlphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// NewPassword makes a random password that passes every policy: four groups of four,
// about 92 bits.
func NewPassword() string {
	strict := DefaultPolicy()
	for {
		var b strings.Builder
		for b.Len() < 19 {
			if b.Len()%5 == 4 {
				b.WriteByte('-')
			}
			var r [1]byte
			_, _ = rand.Read(r[:])
			if int(r[0]) < 256/len(passwordAlphabet)*len(passwordAlphabet) {
				b.WriteByte(passwordAlphabet[int(r[0])%len(passwordAlphabet)])
			}
		}
		if strict.Check("", b.String()) == nil {
			return b.String()
		}
	}
}
