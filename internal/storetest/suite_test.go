package storetest_test

import (
	"testing"

	"tianbao/internal/store"
	"tianbao/internal/storetest"
	"tianbao/internal/web"
)

var _ web.Catalog = (*store.Store)(nil)

func TestStore(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) *store.Store { return storetest.OpenSQLite(t) })
	})
	t.Run("postgres", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) *store.Store { return storetest.OpenPostgres(t) })
	})
}
