package store

import (
	"context"
	"fmt"
	"strings"

	"tianbao"
	"tianbao/internal/db"
)

// maxSearch bounds what is looked for; the longest name of a unit is shorter.
const maxSearch = 100

// sqlSearchUnits finds units by $1, a pattern for the search text, and orders them: a
// code or name that is $2 whole, one that begins with $3, others; among these the
// shorter names, which stand for the units themselves and not for what belongs to them.
const sqlSearchUnits = `SELECT ` + unitColumns + `
 FROM (SELECT u.id AS id, CASE WHEN u.search LIKE $2 ESCAPE '\' THEN 0 WHEN u.search LIKE $3 ESCAPE '\' THEN 1 ELSE 2 END AS rank,
  length(u.name) AS size, u.path AS path FROM unit u
  WHERE SCOPE(u.path) AND (u.valid_to = 0 OR u.valid_to > $4) AND u.search LIKE $1 ESCAPE '\'
  ORDER BY rank, size, path LIMIT $5) f
 JOIN unit u ON u.id = f.id ORDER BY f.rank, f.size, f.path`

// SearchUnits returns the units in scope whose code, name or pinyin initials hold q,
// the best first; words between blanks must come in that order. Without q it returns
// the first units in the order of the tree.
func (s *Store) SearchUnits(ctx context.Context, scope tianbao.Scope, q string, limit int) ([]tianbao.Unit, error) {
	words := strings.Fields(lowerASCII(q))
	if len(words) == 0 {
		return s.Units(ctx, scope, "", limit)
	}
	for i, w := range words {
		words[i] = escapeLike(w)
	}
	p := strings.Join(words, "%")
	if len(p) > 4*maxSearch || strings.ContainsRune(q, 0) {
		return nil, nil // no unit is called so, and PostgreSQL takes no NUL
	}
	sql, args := within(sqlSearchUnits, scope, "%"+p+"%", "%\n"+p+"\n%", "%\n"+p+"%", ms(s.now()), max(limit, 0))
	return db.Collect(ctx, s.db, scanUnit, sql, args...)
}

// searchText is what a unit is found by; see migration 0004.
func (s *Store) searchText(u *tianbao.Unit) string {
	return lowerASCII("\n" + u.BudgetCode + "\n" + u.OrgCode + "\n" + u.Name + "\n" + s.pinyin.Initials(u.Name) + "\n")
}

const (
	sqlUnsearchable   = `SELECT ` + unitColumns + ` FROM unit u WHERE u.search = '' ORDER BY u.id LIMIT $1`
	sqlSetUnitsSearch = `UPDATE unit SET search = $1 WHERE id = $2`
)

// searchSetting tells that all units can be found: whoever stores one lets it be found.
const searchSetting = "unit_search"

// EnsureUnitsIndexed is IndexUnits once for a database.
func (s *Store) EnsureUnitsIndexed(ctx context.Context) error {
	return s.onceEver(ctx, searchSetting, func() error { return s.IndexUnits(ctx) })
}

// IndexUnits lets units be found that were stored by a version that knew no search. Where
// nothing is to be done it costs one look at the units.
func (s *Store) IndexUnits(ctx context.Context) error {
	const batch = 1000
	for {
		units, err := db.Collect(ctx, s.db, scanUnit, sqlUnsearchable, batch)
		if err != nil || len(units) == 0 {
			return err
		}
		err = s.db.Tx(ctx, func(tx db.Tx) error {
			list := make([]db.Statement, len(units))
			for i := range units {
				list[i] = db.Statement{SQL: sqlSetUnitsSearch, Args: []any{s.searchText(&units[i]), units[i].ID}}
			}
			_, err := tx.Send(ctx, list)
			return err
		})
		if err != nil {
			return fmt.Errorf("store: index units for the search: %w", err)
		}
	}
}
