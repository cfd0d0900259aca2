package web

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"

	"tianbao"
	"tianbao/internal/clock"
)

// What every file that leaves the house has in common: its turn, its mark and its record.

// turnToLeave waits for a turn of the long exports, which are few at a time; leave gives it
// back.
func (s *Server) turnToLeave(ctx context.Context) (leave func(), err error) {
	select {
	case s.leaving <- struct{}{}:
		return func() { <-s.leaving }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// newMark makes the mark of an export: a random code, and a line that says who took it,
// when and, where one was given, what for.
func (s *Server) newMark(v *viewer, reason string) (m tianbao.ExportMark, err error) {
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return m, errors.New("web: no random bytes")
	}
	m.Code = binary.BigEndian.Uint32(b[:])
	m.Line = fmt.Sprintf("%s %s 导出", v.user().Name, s.Now().In(clock.Shanghai).Format("2006-01-02 15:04"))
	if reason != "" {
		m.Line += fmt.Sprintf("，用途：%s", reason)
	}
	return m, nil
}

// recordLeaving writes on the trail what of an object goes out, masked, or whole with the
// mark that it returns.
func (s *Server) recordLeaving(r *http.Request, v *viewer, object tianbao.ID, what string, full bool, reason string) (*tianbao.ExportMark, error) {
	e := v.event(r, "export", what)
	e.Object = object.String()
	if !full {
		e.Detail += ", masked"
		return nil, s.Auth.Record(r.Context(), e)
	}
	m, err := s.newMark(v, reason)
	if err != nil {
		return nil, err
	}
	e.Reason, e.Detail = reason, e.Detail+fmt.Sprintf(" mark=%08x", m.Code)
	return &m, s.Auth.Record(r.Context(), e)
}
