package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/seal"
)

// A person is erased on request (PIPL art. 47) in three steps. What is needed to find all
// that is held of somebody is gathered first, the phones and names of that id among it,
// and kept sealed in the table erasure; then everything but the rows goes, then the rows.
// Each step can be done twice, so whoever finds an erasure open goes on with it.

const (
	sqlReportsIn = `SELECT r.id, r.form, r.form_version, r.campaign_id, r.owner_id FROM report r JOIN unit u ON u.id = r.owner_id
 WHERE r.state <> $1 AND SCOPE(u.path) ORDER BY r.id`
	sqlNextSet       = `SELECT c.id, c.version, c.delta FROM change_set c WHERE c.report_id = $1 AND c.version > $2 ORDER BY c.version LIMIT 1`
	sqlBeginErasure  = `INSERT INTO erasure (id, at, by_id, state, person) VALUES ($1, $2, $3, 0, $4)`
	sqlOpenErasures  = `SELECT e.id, e.by_id, e.person FROM erasure e WHERE e.state = 0 ORDER BY e.id`
	sqlEndErasure    = `UPDATE erasure SET state = 1, person = $1 WHERE id = $2 AND state = 0`
	sqlFullTrail     = `SELECT t.id, t.personal_sealed FROM trail t WHERE t.id > $1 AND length(t.personal_sealed) > 0 ORDER BY t.id LIMIT 500`
	sqlEmptyTrail    = `UPDATE trail SET personal_sealed = $1 WHERE id = $2`
	sqlRaiseReport   = `UPDATE report SET version = version + 1 WHERE id = $1`
	sqlReportVersion = `SELECT version FROM report WHERE id = $1`
	sqlRowOf         = `SELECT w.vals, w.look_keys FROM report_row w WHERE w.report_id = $1 AND w.row_id = $2`
	sqlErasePerson   = `UPDATE report_row SET vals = $1, look_keys = $2, version = $3 WHERE report_id = $4 AND row_id = $5`
)

// sought is by what a person is found. It is kept sealed.
type sought struct {
	ID        string                      `json:"id"`
	Phones    []string                    `json:"phones"`
	Names     []string                    `json:"names"`
	Scope     []string                    `json:"scope"`
	Campaigns []tianbao.ID                `json:"campaigns"`
	Reports   map[tianbao.ID][]tianbao.ID `json:"reports"` // the rows that were ever this person's
	// Keeps is set where the person stands in a collection that is not over: what the old
	// lists say stays for as long.
	Keeps bool `json:"keeps"`
}

func erasurePlace(id tianbao.ID) []byte { return seal.Place("erasure", "person", id.String()) }

// fold brings text as people type it into one form, in which ids, phones and names are
// looked for.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		switch {
		case r == ' ' || r == '\'' || r == '-' || r == '　' || r == '\u00a0':
			return -1
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		return r
	}, text)
}

// in reports whether a text names the person: by id or phone, of free text also by name.
func (p *sought) in(text string, free bool) bool {
	text = fold(text)
	words := slices.Concat([]string{p.ID}, p.Phones)
	if free {
		words = append(words, p.Names...)
	}
	return slices.ContainsFunc(words, func(w string) bool { return len(w) > 3 && strings.Contains(text, fold(w)) })
}

func (p *sought) add(list *[]string, value string) {
	if value != "" && !slices.Contains(*list, value) {
		*list = append(*list, value)
	}
}

// columnsOf finds the columns of a form that say who somebody is; -1: it has none.
type columns struct{ id, phone, name int }

func columnsOf(f *tianbao.Form) columns {
	find := func(k tianbao.Kind) int {
		return slices.IndexFunc(f.Fields, func(fd tianbao.Field) bool { return fd.Kind == k })
	}
	return columns{find(tianbao.KindResidentID), find(tianbao.KindPhone), find(tianbao.KindName)}
}

// CountPerson counts the rows of a person that [Store.ErasePerson] would erase and keep.
func (s *Store) CountPerson(ctx context.Context, scope tianbao.Scope, id string, months int) (tianbao.PersonErased, error) {
	_, sum, err := s.seek(ctx, scope, id, months)
	return sum, err
}

// ErasePerson erases a person in all reports of the scope whose collection is over for as
// many months as it says itself, or else as are given. Others keep the person, and are
// counted. The event's reason must not name the person.
func (s *Store) ErasePerson(ctx context.Context, scope tianbao.Scope, id string, months int, e tianbao.Event) (tianbao.PersonErased, error) {
	open, err := s.ResumeErasures(ctx)
	if err != nil {
		return open, err
	}
	p, sum, err := s.seek(ctx, scope, id, months)
	if err != nil {
		return sum, err
	}
	if p.in(e.Reason, true) {
		return sum, tianbao.Invalid("reason_names", "理由里写了这个人的姓名或号码，它会留在审计记录里，请改写。")
	}
	job := s.id()
	plain, err := json.Marshal(p)
	if err != nil {
		return sum, errors.New("store: what is sought cannot be encoded")
	}
	e.What, e.Object, e.At = "erase.person", job.String(), s.now()
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, sqlBeginErasure, job, ms(e.At), e.Actor, s.ring.Seal(nil, plain, erasurePlace(job))); err != nil {
			return err
		}
		begin := e
		begin.Detail = "begin"
		return s.trail(ctx, tx, begin)
	})
	if err != nil {
		return sum, err
	}
	done, err := s.eraseSought(ctx, job, e.Actor, p)
	done.Rows, done.Saves, done.Others = done.Rows+open.Rows, done.Saves+open.Saves, done.Others+open.Others
	done.Kept = sum.Kept
	return done, err
}

// ResumeErasures goes on with erasures that were cut off.
func (s *Store) ResumeErasures(ctx context.Context) (sum tianbao.PersonErased, err error) {
	type job struct {
		id, by tianbao.ID
		sealed []byte
	}
	jobs, err := db.Collect(ctx, s.db, func(scan db.Scan) (j job, err error) {
		err = scan(&j.id, &j.by, &j.sealed)
		return j, err
	}, sqlOpenErasures)
	if err != nil {
		return sum, err
	}
	for _, j := range jobs {
		plain, err := s.ring.Open(nil, j.sealed, erasurePlace(j.id))
		if err != nil {
			return sum, fmt.Errorf("store: open erasure %s: %w", j.id, err)
		}
		var p sought
		if json.Unmarshal(plain, &p) != nil {
			return sum, errors.New("store: a stored erasure is not readable")
		}
		one, err := s.eraseSought(ctx, j.id, j.by, &p)
		sum.Rows, sum.Saves, sum.Others = sum.Rows+one.Rows, sum.Saves+one.Saves, sum.Others+one.Others
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// seek gathers by what the person is found.
func (s *Store) seek(ctx context.Context, scope tianbao.Scope, id string, months int) (*sought, tianbao.PersonErased, error) {
	var sum tianbao.PersonErased
	p := &sought{ID: fold(strings.TrimSpace(id)), Scope: scope.Paths, Reports: make(map[tianbao.ID][]tianbao.ID)}
	if n := len(p.ID); n < 8 || n > 30 {
		return nil, sum, tianbao.Invalid("person", "请给出表里填的完整的身份证号码。")
	}
	over, err := s.over(ctx, months)
	if err != nil {
		return nil, sum, err
	}
	for c, is := range over {
		if is {
			p.Campaigns = append(p.Campaigns, c)
		}
	}
	slices.Sort(p.Campaigns)
	all, err := s.reportsIn(ctx, scope)
	if err != nil {
		return nil, sum, err
	}
	kept := make(map[tianbao.ID]bool)
	ids := make(map[string]bool) // the fields that hold ids, by key
	for i := range all {
		r := &all[i]
		form, err := s.forms(r.Form, r.FormV)
		if err != nil {
			return nil, sum, err
		}
		at := columnsOf(form)
		if at.id >= 0 {
			ids[form.Fields[at.id].Key] = true
		}
		if !over[r.Campaign] {
			kept[r.ID] = true
			continue
		}
		if err := s.seekHistory(ctx, r.ID, at, p); err != nil {
			return nil, sum, err
		}
	}
	refs, err := s.findPerson(ctx, scope, ids, p.ID)
	if err != nil {
		return nil, sum, err
	}
	for _, ref := range refs {
		if kept[ref.Report] {
			p.Keeps = true
			sum.Kept++
			continue
		}
		sum.Rows++
		if !slices.Contains(p.Reports[ref.Report], ref.Row) {
			p.Reports[ref.Report] = append(p.Reports[ref.Report], ref.Row)
		}
	}
	return p, sum, nil
}

// findPerson finds the rows that have an id in any of the fields that forms keep it in.
func (s *Store) findPerson(ctx context.Context, scope tianbao.Scope, fields map[string]bool, id string) (out []RowRef, err error) {
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		refs, err := s.FindByKey(ctx, scope, field, id)
		if err != nil {
			return nil, err
		}
		out = append(out, refs...)
	}
	return out, nil
}

func (s *Store) reportsIn(ctx context.Context, scope tianbao.Scope) ([]tianbao.Report, error) {
	sql, args := within(sqlReportsIn, scope, tianbao.StateErased)
	return db.Collect(ctx, s.db, func(scan db.Scan) (r tianbao.Report, err error) {
		err = scan(&r.ID, &r.Form, &r.FormV, &r.Campaign, &r.Owner)
		return r, err
	}, sql, args...)
}

// seekHistory finds the rows that were the person's at any time, also where they were
// deleted or are somebody else's by now, and the phones and names that stood beside the id.
func (s *Store) seekHistory(ctx context.Context, rep tianbao.ID, at columns, p *sought) error {
	type who struct{ id, phone, name string }
	rows := make(map[tianbao.ID]who)
	found := make(map[tianbao.ID]bool)
	err := s.eachSet(ctx, rep, func(_ *storedSet, d *deltaJSON) error {
		for i := range d.Changes {
			c := &d.Changes[i]
			now := rows[c.Row]
			for _, cell := range c.Cells {
				switch cell.Field {
				case at.id:
					now.id = cell.After
				case at.phone:
					now.phone = cell.After
				case at.name:
					now.name = cell.After
				}
				if cell.Field == at.id && fold(cell.Before) == p.ID {
					found[c.Row] = true
				}
			}
			rows[c.Row] = now
			if fold(now.id) == p.ID {
				found[c.Row] = true
				p.add(&p.Phones, now.phone)
				p.add(&p.Names, now.name)
			}
		}
		return nil
	})
	if len(found) > 0 {
		p.Reports[rep] = slices.Sorted(maps.Keys(found))
	}
	return err
}

// eachSet opens the change sets of a report in order, and the pieces of each.
func (s *Store) eachSet(ctx context.Context, rep tianbao.ID, fn func(*storedSet, *deltaJSON) error) error {
	for last := int64(0); ; {
		st, err := first(ctx, s.db, func(scan db.Scan) (st storedSet, err error) {
			err = scan(&st.rev.ID, &st.rev.Version, &st.delta)
			return st, err
		}, sqlNextSet, rep, last)
		if tianbao.KindOf(err) == tianbao.ErrNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		last = st.rev.Version
		var inner error
		err = s.openSet(ctx, rep, &st, func(d *deltaJSON) {
			if inner == nil {
				inner = fn(&st, d)
			}
		})
		if err = errors.Join(err, inner); err != nil {
			return err
		}
	}
}

// over tells which campaigns are over for long enough; those with neither a day nor an
// end are not.
func (s *Store) over(ctx context.Context, months int) (map[tianbao.ID]bool, error) {
	list, err := s.Retentions(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[tianbao.ID]bool)
	for _, r := range list {
		own := r.Months
		if own == 0 {
			own = months
		}
		out[r.Campaign] = !r.Closes.IsZero() && !s.now().Before(r.KeptUntil(own))
	}
	return out, nil
}

// eraseSought carries an erasure out from wherever it stands.
func (s *Store) eraseSought(ctx context.Context, job, by tianbao.ID, p *sought) (sum tianbao.PersonErased, err error) {
	scope := tianbao.Scope{Paths: p.Scope}
	all, err := s.reportsIn(ctx, scope)
	if err != nil {
		return sum, err
	}
	for i := range all {
		if slices.Contains(p.Campaigns, all[i].Campaign) {
			if err := s.eraseBeside(ctx, &all[i], p, &sum); err != nil {
				return sum, fmt.Errorf("store: erase a person from report %s: %w", all[i].ID, err)
			}
		}
	}
	if err := s.eraseContacts(ctx, scope, p, &sum); err != nil {
		return sum, err
	}
	if err := s.erasePlatform(ctx, p, &sum); err != nil {
		return sum, err
	}
	if !p.Keeps {
		if err := s.eraseLists(ctx, p, &sum); err != nil {
			return sum, err
		}
	}
	if err := s.eraseHeads(ctx, p, &sum); err != nil {
		return sum, err
	}
	n, err := s.eraseTexts(ctx, func(_ tianbao.ID, text string) bool { return p.in(text, true) })
	if err != nil {
		return sum, err
	}
	sum.Others += n
	if err := s.eraseReasons(ctx, p, &sum); err != nil {
		return sum, err
	}
	for i := range all { // the rows last: by them the rest is found
		if rows := p.Reports[all[i].ID]; len(rows) > 0 {
			if err := s.erasePersonRows(ctx, &all[i], rows, job, by, p, &sum); err != nil {
				return sum, fmt.Errorf("store: erase a person from report %s: %w", all[i].ID, err)
			}
		}
	}
	if err := s.BringKeys(ctx); err != nil { // the log of keys names the rows too
		return sum, err
	}
	return sum, s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, sqlEndErasure, []byte{}, job)
		if err != nil || n == 0 {
			return err // somebody else came first
		}
		return s.trail(ctx, tx, tianbao.Event{
			At: s.now(), Actor: by, What: "erase.person", Object: job.String(),
			Detail: fmt.Sprintf("rows=%d saves=%d others=%d", sum.Rows, sum.Saves, sum.Others),
		})
	})
}

// eraseReasons empties what lines of the trail say of the person; their hashes cover only
// a digest of it.
func (s *Store) eraseReasons(ctx context.Context, p *sought, sum *tianbao.PersonErased) error {
	n, err := s.inPages(ctx, sqlFullTrail, func(scan db.Scan, last *tianbao.ID) ([]db.Statement, error) {
		var sealed []byte
		if err := scan(last, &sealed); err != nil {
			return nil, err
		}
		plain, err := s.ring.Open(nil, sealed, personalPlace(*last))
		if err != nil {
			return nil, fmt.Errorf("store: open record %s of the trail: %w", *last, err)
		}
		if !p.in(string(plain), true) {
			return nil, nil
		}
		return []db.Statement{{SQL: sqlEmptyTrail, Args: []any{[]byte{}, *last}}}, nil
	})
	sum.Others += n
	return err
}

// inPages reads what a text finds behind an id, the first argument, page by page, and
// carries out after each page what look wants of its lines; look keeps the id of the line.
// It returns how many statements were carried out.
func (s *Store) inPages(ctx context.Context, find string, look func(scan db.Scan, last *tianbao.ID) ([]db.Statement, error), args ...any) (sum int64, err error) {
	for last := tianbao.ID(0); ; {
		var batch []db.Statement
		n := 0
		err := s.db.Each(ctx, func(scan db.Scan) error {
			n++
			some, err := look(scan, &last)
			batch = append(batch, some...)
			return err
		}, find, append([]any{last}, args...)...)
		if err == nil {
			err = s.send(ctx, batch)
		}
		if err != nil || n == 0 {
			return sum, err
		}
		sum += int64(len(batch))
	}
}

// send carries statements out in one transaction; none is none.
func (s *Store) send(ctx context.Context, batch []db.Statement) error {
	if len(batch) == 0 {
		return nil
	}
	return s.db.Tx(ctx, func(tx db.Tx) error { _, err := tx.Send(ctx, batch); return err })
}

// erasePersonRows erases rows that hold the person, as one version of the report, so that
// open pages and the history show it.
func (s *Store) erasePersonRows(ctx context.Context, rep *tianbao.Report, rows []tianbao.ID, job, by tianbao.ID, p *sought, sum *tianbao.PersonErased) error {
	form, err := s.forms(rep.Form, rep.FormV)
	if err != nil {
		return err
	}
	nothing := errors.New("nothing to erase")
	var n int64
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		n = 0
		if _, err := tx.Exec(ctx, sqlRaiseReport, rep.ID); err != nil { // others wait from here on
			return err
		}
		var version int64
		if err := tx.One(ctx, []any{&version}, sqlReportVersion, rep.ID); err != nil {
			return err
		}
		var batch []db.Statement
		var drop []rowKey
		d := deltaJSON{}
		for _, id := range rows {
			var vals, look []byte
			err := tx.One(ctx, []any{&vals, &look}, sqlRowOf, rep.ID, id)
			if errors.Is(err, db.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			row := tianbao.Row{ID: id}
			if err := s.decodeRow(form, rep.ID, &row, vals); err != nil {
				return err
			}
			if row.Erased || fold(row.Values[columnsOf(form).id]) != p.ID {
				continue
			}
			left, err := s.erasedRow(form, row.Values)
			if err != nil {
				return err
			}
			batch = append(batch, db.Statement{SQL: sqlErasePerson, Args: []any{left, []byte{}, version, rep.ID, id}})
			drop = without(drop, id, lookKeys(look), nil)
			d.Changes = append(d.Changes, changeJSON{Op: tianbao.OpEdit, Row: id})
			n++
		}
		if n == 0 {
			return nothing
		}
		plain, err := d.encode()
		if err != nil {
			return err
		}
		batch = append(batch, db.Statement{SQL: sqlInsertSet, Args: []any{
			rep.ID, version, s.id(), "erase-" + job.String(), tianbao.SourceErase, by, ms(s.now()), s.ring.Seal(nil, plain, deltaPlace(rep.ID, version)),
		}})
		keys, err := s.keepKeys(ctx, tx, rep.ID, nil, drop)
		if err != nil {
			return err
		}
		_, err = tx.Send(ctx, append(batch, keys...))
		return err
	})
	if errors.Is(err, nothing) {
		return nil
	}
	sum.Rows += n
	return err
}
