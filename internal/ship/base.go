package ship

import (
	"context"
	"errors"
	"time"

	"tianbao/internal/db"
)

// made is a base that was made.
type made struct {
	file baseFile
	size int64
	sums sums
	err  error
}

// write writes a copy into the folder of a line.
func (s *Shipper) write(ctx context.Context, dir string, c *db.Copy) (m made) {
	p, err := newPacker(s.o.Seal) // it may run beside the logs
	if err != nil {
		return made{err: err}
	}
	m.file = baseFile{name: nameOf(kindBase, c.From, c.To, c.At), from: c.From, to: c.To, at: micro(c.At)}
	o, err := p.create(dir, kindBase, kindBase)
	if err != nil {
		return made{err: err}
	}
	o.baseHead(&m.file, c.PageSize, c.Pages)
	page := uint32(0)
	err = c.Each(ctx, func(data []byte) error {
		page++
		m.sums.set(page, data)
		_, err := o.Write(data)
		return err
	})
	if err != nil {
		o.drop()
		return made{err: err}
	}
	o.sum(m.sums.all)
	m.size, m.err = o.finish(m.file.name)
	return m
}

// micro is a time as files hold it.
func micro(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()) }

// based notes the newest base.
func (s *Shipper) based(m made) {
	s.base, s.baseAt, s.size, s.since = m.file.to, m.file.at, m.size, 0
	s.count(func(st *Status) {
		st.Base = m.file.at
		st.Files, st.Bytes = st.Files+1, st.Bytes+uint64(m.size) //nolint:gosec // a size
	})
}

// due tells whether it is time for another base.
func (s *Shipper) due(now time.Time) bool {
	if s.making != nil || s.at == s.base || now.Before(s.notBefore) { // the second: nothing has changed
		return false
	}
	age := now.Sub(s.baseAt)
	night := s.o.Night == nil || s.o.Night(now)
	return age >= baseMost || age >= baseNight && night || s.since > max(logLeast, logTimes*s.size)
}

// startBase begins a base beside the logs.
func (s *Shipper) startBase(ctx context.Context) error {
	if err := s.ship(); err != nil {
		return err
	}
	c, err := s.log.Copy()
	if err != nil {
		return err
	}
	quiet, digest := c.From == c.To, s.sums.all
	ctx, s.stop = context.WithCancel(ctx)
	done, dir := make(chan made, 1), s.path()
	s.making = done
	go func() {
		m := s.write(ctx, dir, c)
		c.Close()
		if m.err == nil && quiet && m.sums.all != digest {
			m.err = errOther
		}
		done <- m
	}()
	return nil
}

// errOther: what was shipped is not what the database holds.
var errOther = errors.New("ship: the database is not what was copied of it")

// finishBase takes a base that was made beside.
func (s *Shipper) finishBase() error {
	select {
	case m := <-s.making:
		s.making = nil
		s.stop()
		if errors.Is(m.err, errOther) {
			s.endLine("what was copied differs from the database")
			return nil
		}
		if m.err != nil { // perhaps there is room for logs and none for a base
			s.notBefore = s.o.Now().Add(baseAgain)
			return m.err
		}
		s.based(m)
		s.o.Log.Info("a base copy was made", "line", s.line, "bytes", m.size)
		return s.prune(s.o.Now())
	default:
		return nil
	}
}

// endBase gives up a base that is being made.
func (s *Shipper) endBase() {
	if s.making != nil {
		s.stop()
		<-s.making
		s.making = nil
	}
}
