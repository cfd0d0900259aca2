package store

import (
	"sync"
	"time"

	"tianbao"
	"tianbao/internal/auth"
)

// sessionTables are those that a session with its rights is read from.
var sessionTables = []string{"session", "app_user", "factor", "credential", "purpose_yes", "purpose", "role_grant", "unit"}

const (
	// sessionLife is how long a session is taken for what it was, as far as others may have
	// changed it: another server, the command line. What this process changes holds at once.
	// Who signs out, is disabled or loses a right is refused by all servers within a second.
	sessionLife = 500 * time.Millisecond
	// maxSessions bounds the memory, at about 1 KB each.
	maxSessions = 4096
)

// sessionMemory are the sessions of the last half second: a page asks for several things, and
// a program that sends many change sets for the same session each time.
type sessionMemory struct {
	changes func() uint64 // of sessionTables
	mu      sync.Mutex
	of      map[string]rememberedSession // by token hash
}

// rememberedSession is a session as it was read.
type rememberedSession struct {
	session auth.Session
	user    tianbao.User
	changes uint64    // from before the reading
	read    time.Time // by the real clock, the one that runs while another stands
	at      time.Time // by the store's, which grants begin and end by
}

// get returns what is remembered. If nothing is, it is an empty one to be read into.
func (m *sessionMemory) get(tokenHash []byte, now time.Time) (rememberedSession, bool) {
	fresh := rememberedSession{changes: m.changes(), read: time.Now(), at: now}
	m.mu.Lock()
	defer m.mu.Unlock()
	had, ok := m.of[string(tokenHash)]
	if !ok || had.changes != fresh.changes || fresh.read.Sub(had.read) >= sessionLife || fresh.at.Sub(had.at).Abs() >= sessionLife {
		return fresh, false
	}
	return had, true
}

func (m *sessionMemory) put(tokenHash []byte, v rememberedSession) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil || len(m.of) >= maxSessions {
		m.of = make(map[string]rememberedSession)
	}
	m.of[string(tokenHash)] = v
}
