package db

import (
	"context"
	"errors"
	"os"
	"reflect"
	"sync/atomic"
	"time"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// AwaitQueue waits until n changes wait for the committer.
func AwaitQueue(d *DB, n int) {
	for len(d.engine.(*sqliteDB).commit.queue) < n {
		time.Sleep(100 * time.Microsecond)
	}
}

// FailCommit lets every COMMIT fail from now on, or none.
func FailCommit(d *DB, err error) {
	w := d.engine.(*sqliteDB).commit
	// By a change that fails itself, on the goroutine that owns the field.
	_ = w.do(context.Background(), func(Tx) error {
		w.beforeCommit = func() error { return err }
		return errors.New("not to be committed")
	})
}

// Syncing puts fn in the place of the sync of a group; nil: the disk's own again.
func Syncing(d *DB, fn func() error) {
	w := d.engine.(*sqliteDB).commit
	// While nothing is on its way, on the goroutine that would give it away.
	_ = w.do(context.Background(), func(Tx) error {
		w.settle()
		w.durable.sync = syncData
		if fn != nil {
			w.durable.sync = func(*os.File) error { return fn() }
		}
		return errors.New("not to be committed")
	})
}

// Replanned tells how often the first reading connection planned a statement anew: its
// text is asked n times, each time with other arguments.
func Replanned(ctx context.Context, d *DB, n int, sql string, arg func(i int) []any) (int, error) {
	times := 0
	err := d.engine.(*sqliteDB).lend(ctx, func(c *sqliteConn) error {
		for i := range n {
			if err := c.Each(ctx, func(Scan) error { return nil }, sql, arg(i)...); err != nil {
				return err
			}
		}
		tls := libc.NewTLS()
		defer tls.Close()
		handle := reflect.ValueOf(c.stmts[sql].s).Elem().FieldByName("stmt")
		times = int(sqlite3.Xsqlite3_stmt_status(tls, uintptr(handle.Uint()), sqlite3.SQLITE_STMTSTATUS_REPREPARE, 0))
		return nil
	})
	return times, err
}

// Hasten lets a database on PostgreSQL give up a server that is silent after a fraction of a
// second.
func Hasten(d *DB) {
	d.engine.(*postgresDB).link.pace.Store(&pace{every: 50 * time.Millisecond, wait: 200 * time.Millisecond, connect: 200 * time.Millisecond})
}

// Salt changes each time that the log begins anew.
func (l *Log) Salt() uint32 {
	l.reading.Lock()
	defer l.reading.Unlock()
	return l.head.salt[0]
}

// Frames counts the frames of a write-ahead log whose sums fit.
func Frames(b []byte) (n int) {
	h, ok := parseWALHead(b)
	if !ok {
		return 0
	}
	sum := h.sum
	for b = b[walHeadSize:]; int64(len(b)) >= h.frameSize(); b = b[h.frameSize():] {
		if sum, ok = h.check(sum, b[:h.frameSize()]); !ok {
			break
		}
		n++
	}
	return n
}

// LogCalls are what the driver is called for with the log of the writer. The committer goes on
// after its answers, so all is atomic.
type LogCalls struct {
	Writes, Syncs atomic.Int64 // syncs within a COMMIT
	Fail          atomic.Int32 // the code of SQLite that writes end with
}

// Reset begins to count anew.
func (c *LogCalls) Reset() {
	c.Writes.Store(0)
	c.Syncs.Store(0)
}

var logCalls *LogCalls // of the one database that is watched

// WatchLog watches the writer's log of a database, one at a time.
func WatchLog(d *DB) *LogCalls {
	logCalls = &LogCalls{}
	w := d.engine.(*sqliteDB).commit
	_ = w.do(context.Background(), func(Tx) error {
		l := w.conn.log
		plain := *l.driver()
		own := plain
		// The engine keeps addresses, which keep nothing alive: these hold no variables.
		own.FxWrite = fnWrite(func(tls *libc.TLS, file, buf uintptr, n int32, at int64) int32 {
			logCalls.Writes.Add(1)
			if code := logCalls.Fail.Load(); code != 0 {
				return code
			}
			return callWrite(watched.FxWrite)(tls, file, buf, n, at)
		})
		own.FxSync = fnSync(func(tls *libc.TLS, file uintptr, flags int32) int32 {
			if logWriterOf(file).commits {
				logCalls.Syncs.Add(1)
			}
			return callSync(watched.FxSync)(tls, file, flags)
		})
		watched = plain
		l.plain = libc.Xmalloc(l.tls, libc.Tsize_t(unsafe.Sizeof(own)))
		*l.driver() = own
		return errors.New("not to be committed")
	})
	return logCalls
}

var watched sqlite3.Tsqlite3_io_methods
