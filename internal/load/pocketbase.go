package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"sync/atomic"

	"tianbao/internal/jsontext"
)

// PocketBase is a PocketBase server beside ours: two collections of the same eight text
// fields, without access rules, one of them with indexes.
type PocketBase struct {
	Server   Server
	province *Province
	crowd    *Crowd // for its people
	next     atomic.Int64
}

// The collections of the peer.
const (
	plainRows   = "rows"
	indexedRows = "indexed"
)

// prepare signs in, allows batches and makes the collections.
func (p *PocketBase) prepare(ctx context.Context, mail, password string) error {
	c := NewConn(p.Server.Addr)
	defer c.Close()
	a, err := p.ask(ctx, c, "POST", "/api/collections/_superusers/auth-with-password", fmt.Appendf(nil, `{"identity":%q,"password":%q}`, mail, password))
	if err != nil {
		return err
	}
	var in struct{ Token string }
	if err := json.Unmarshal(a.Body, &in); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	auth := Header{"Authorization", in.Token}
	if _, err := p.ask(ctx, c, "PATCH", "/api/settings", []byte(`{"batch":{"enabled":true,"maxRequests":100,"timeout":60}}`), auth); err != nil {
		return err
	}
	for _, name := range []string{plainRows, indexedRows} {
		type field struct {
			Name string `json:"name"`
			Type string `json:"type"`
		}
		col := struct {
			Name    string   `json:"name"`
			Type    string   `json:"type"`
			Fields  []field  `json:"fields"`
			Indexes []string `json:"indexes"`
			List    string   `json:"listRule"`
			View    string   `json:"viewRule"`
			Create  string   `json:"createRule"`
			Update  string   `json:"updateRule"`
			Delete  string   `json:"deleteRule"`
		}{Name: name, Type: "base", Indexes: []string{}}
		for _, f := range Fields() {
			col.Fields = append(col.Fields, field{f, "text"})
		}
		if name == indexedRows {
			for _, f := range []string{"org_code", "person_name", "person_id", "phone"} {
				col.Indexes = append(col.Indexes, fmt.Sprintf("CREATE INDEX idx_%s ON %s (%s)", f, name, f))
			}
		}
		body, err := json.Marshal(col)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		if _, err := p.ask(ctx, c, "POST", "/api/collections", body, auth); err != nil {
			return err
		}
	}
	return nil
}

func (p *PocketBase) ask(ctx context.Context, c *Conn, method, path string, body []byte, more ...Header) (Answer, error) {
	h := more
	if method != "GET" {
		h = append(h, Header{"Content-Type", "application/json"})
	}
	a, err := c.Do(ctx, method, path, body, h...)
	if err == nil && a.Status >= 300 {
		err = &StatusError{Status: a.Status}
	}
	return a, err
}

// create stores so many rows of a unit: one as a record, more as a batch, which PocketBase
// carries out in one transaction.
func (p *PocketBase) create(ctx context.Context, c *Conn, collection string, rows []Row) error {
	path := "/api/collections/" + collection + "/records"
	record := func(b []byte, r *Row) []byte {
		fields := Fields()
		for k, v := range r.Cells {
			b = append(b, "{,"[min(k, 1)])
			b = append(jsontext.Append(b, fields[k]), ':')
			b = jsontext.Append(b, v)
		}
		return append(b, '}')
	}
	if len(rows) == 1 {
		_, err := p.ask(ctx, c, "POST", path, record(nil, &rows[0]))
		return err
	}
	b := append(make([]byte, 0, 512*len(rows)), `{"requests":[`...)
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(record(append(append(append(b, `{"method":"POST","url":"`...), path...), `","body":`...), &rows[i]), '}')
	}
	_, err := p.ask(ctx, c, "POST", "/api/batch", append(b, "]}"...))
	return err
}

// fill stores so many rows beforehand, 25 of a unit.
func (p *PocketBase) fill(ctx context.Context, collection string, rows int) error {
	const per = 25
	units := p.crowd.units
	return each(ctx, rows/per, 4, func(i int) error {
		c := p.crowd.peers.take(p.Server.Addr)
		defer p.crowd.peers.give(c)
		u := &units[len(units)-1-i%len(units)]
		out := make([]Row, per)
		for j := range out {
			out[j] = p.province.Row(u, People-1-i*per-j)
		}
		return p.create(ctx, c, collection, out)
	})
}

// clients returns a call of a closed loop in which each client has a connection of its own.
func (p *PocketBase) clients(n int, fn func(ctx context.Context, c *Conn) error) (call func(ctx context.Context, client int) error, end func()) {
	conns := make([]*Conn, n)
	for i := range conns {
		conns[i] = NewConn(p.Server.Addr)
	}
	return func(ctx context.Context, client int) error { return fn(ctx, conns[client]) }, func() {
		for _, c := range conns {
			c.Close()
		}
	}
}

// submit is a submit of new rows of some unit.
func (p *PocketBase) submit(collection string, rows int) func(ctx context.Context, c *Conn) error {
	return func(ctx context.Context, c *Conn) error {
		unit := int(p.next.Add(1)) % p.crowd.Reach()
		return p.create(ctx, c, collection, p.crowd.Rows(unit, rows))
	}
}

// list reads up to 30 records whose field has a value, without counting all of them.
func (p *PocketBase) list(field string, value func(i int) string) func(ctx context.Context, c *Conn) error {
	return func(ctx context.Context, c *Conn) error {
		filter := url.QueryEscape(fmt.Sprintf("%s='%s'", field, value(int(p.next.Add(1)))))
		a, err := p.ask(ctx, c, "GET", "/api/collections/"+indexedRows+"/records?perPage=30&skipTotal=1&filter="+filter, nil)
		if err == nil && len(a.Body) < 200 {
			err = fmt.Errorf("load: the peer found nothing by %s", field)
		}
		return err
	}
}
