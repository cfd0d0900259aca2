package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"

	"tianbao"
	"tianbao/internal/check"
)

// ruleBook keeps the descriptions of the rules by which pages check while a clerk
// types. A published form does not change, so each is made once.
type ruleBook struct {
	mu   sync.Mutex
	made map[ruleKey]described
}

type ruleKey struct {
	form    string
	version int
}

// described is a description and its digest, under which browsers may keep it for
// good: the sentences of a form may become clearer with a new program.
type described struct {
	data   []byte
	digest string
}

// describe returns the rules of a form as data.
func (s *Server) describe(form string, version int) (described, error) {
	rules, err := s.Reports.Rules(form, version)
	if err != nil {
		return described{}, err
	}
	s.rules.mu.Lock()
	defer s.rules.mu.Unlock()
	key := ruleKey{form, version}
	if d, ok := s.rules.made[key]; ok {
		return d, nil
	}
	data, err := check.Describe(rules.Form())
	if err != nil {
		return described{}, err
	}
	sum := sha256.Sum256(data)
	d := described{data, hex.EncodeToString(sum[:8])}
	if s.rules.made == nil {
		s.rules.made = make(map[ruleKey]described)
	}
	s.rules.made[key] = d
	return d, nil
}

// formRules serves the rules of a form as data.
func (s *Server) formRules(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	d, err := s.describe(r.PathValue("form"), atoi(r.PathValue("version"), 0))
	if err != nil {
		return tianbao.NotFound()
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if r.URL.Query().Get("v") == d.digest {
		w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	if _, err := w.Write(d.data); err != nil {
		return fmt.Errorf("web: send the rules of a form: %w", err)
	}
	return nil
}
