package db

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// logWriter stands between the writer's connection and its log. SQLite writes the head and
// the page of each frame by a call of its own, some fifty for a submit of ten rows; of a
// COMMIT they are gathered here and written by one. The sync that ends the writing is left to
// durable, which does it while the next group runs.
//
// It only gathers within a COMMIT: what a transaction writes before, because its memory is
// full, goes to the file as SQLite says, so that nothing is left here when one is rolled back.
type logWriter struct {
	tls     *libc.TLS
	file    uintptr // sqlite3_file
	methods uintptr // its own sqlite3_io_methods, a copy of the driver's but for three
	plain   uintptr // the driver's
	buf     uintptr
	n       int   // bytes that are gathered
	at      int64 // where they belong
	commits bool  // a COMMIT runs
}

// logWriterSize bounds what is gathered, in bytes: thirty frames of 4 KB. The driver looks at
// the lowest 17 bits of a length only.
const logWriterSize = 1<<17 - 1

// logWriters are those in use, by their file: the driver calls by no other name.
var logWriters sync.Map

// gatherLog puts a logWriter before the log of a connection, which must have one and sync it at
// each commit (synchronous = FULL): that call is what ends the gathering.
func (c *sqliteConn) gatherLog() error {
	handle, err := c.handle()
	if err != nil {
		return err
	}
	if err := c.run("SELECT COUNT(*) FROM sqlite_schema"); err != nil { // which opens the log
		return err
	}
	w := &logWriter{tls: libc.NewTLS()}
	name, err := libc.CString("main")
	if err != nil {
		w.free()
		return fmt.Errorf("db: %w", err)
	}
	defer libc.Xfree(w.tls, name)
	out := libc.Xcalloc(w.tls, 1, libc.Tsize_t(unsafe.Sizeof(uintptr(0))))
	defer libc.Xfree(w.tls, out)
	code := sqlite3.Xsqlite3_file_control(w.tls, handle, name, sqlite3.SQLITE_FCNTL_JOURNAL_POINTER, out)
	size := unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})
	w.methods, w.buf = libc.Xmalloc(w.tls, libc.Tsize_t(size)), libc.Xmalloc(w.tls, logWriterSize)
	if out != 0 {
		w.file = *(*uintptr)(pointer(out))
	}
	if code != sqlite3.SQLITE_OK || w.file == 0 || w.methods == 0 || w.buf == 0 {
		w.free()
		return fmt.Errorf("db: the log's file is not told: code %d", code)
	}
	file := (*sqlite3.Tsqlite3_file)(pointer(w.file))
	if file.FpMethods == 0 {
		w.free()
		return errors.New("db: the log is not open")
	}
	w.plain = file.FpMethods
	own := (*sqlite3.Tsqlite3_io_methods)(pointer(w.methods))
	*own = *w.driver()
	own.FxWrite, own.FxRead, own.FxSync = fnWrite(writeLog), fnWrite(readLog), fnSync(syncLog)
	logWriters.Store(w.file, w)
	file.FpMethods = w.methods
	c.log = w
	return nil
}

// driver are the driver's own methods of the file.
func (w *logWriter) driver() *sqlite3.Tsqlite3_io_methods {
	return (*sqlite3.Tsqlite3_io_methods)(pointer(w.plain))
}

// end lets go of a log whose file has been closed.
func (w *logWriter) end() {
	if w != nil {
		logWriters.Delete(w.file)
		w.free()
	}
}

func (w *logWriter) free() {
	libc.Xfree(w.tls, w.methods)
	libc.Xfree(w.tls, w.buf)
	w.tls.Close()
}

// commit calls fn, which commits, and gathers what it writes. Where it fails, what was not
// written is left out: no frame of it counts.
func (w *logWriter) commit(fn func() error) error {
	if w == nil {
		return fn()
	}
	w.commits = true
	err := fn()
	if w.commits = false; err == nil && w.n > 0 {
		err = errors.New("db: SQLite did not sync a commit")
	}
	w.n = 0
	return err
}

// flush writes what is gathered.
func (w *logWriter) flush(tls *libc.TLS) int32 {
	if w.n == 0 {
		return sqlite3.SQLITE_OK
	}
	n := w.n
	w.n = 0                                                                  // where it fails, so does the COMMIT
	return callWrite(w.driver().FxWrite)(tls, w.file, w.buf, int32(n), w.at) //#nosec G115 -- at most logWriterSize
}

func writeLog(tls *libc.TLS, file, from uintptr, n int32, at int64) int32 {
	w := logWriterOf(file)
	if w.n > 0 && (at != w.at+int64(w.n) || w.n+int(n) > logWriterSize) {
		if code := w.flush(tls); code != sqlite3.SQLITE_OK {
			return code
		}
	}
	if !w.commits || n > logWriterSize {
		return callWrite(w.driver().FxWrite)(tls, file, from, n, at)
	}
	if w.n == 0 {
		w.at = at
	}
	libc.Xmemcpy(tls, w.buf+uintptr(w.n), from, libc.Tsize_t(n))
	w.n += int(n)
	return sqlite3.SQLITE_OK
}

func readLog(tls *libc.TLS, file, to uintptr, n int32, at int64) int32 {
	w := logWriterOf(file)
	if code := w.flush(tls); code != sqlite3.SQLITE_OK {
		return code
	}
	return callWrite(w.driver().FxRead)(tls, file, to, n, at)
}

// syncLog writes what is gathered. The head of a log that begins anew is synced here, before
// any frame is written, or after a power cut an old head could stand before new frames.
func syncLog(tls *libc.TLS, file uintptr, flags int32) int32 {
	w := logWriterOf(file)
	head := w.n > 0 && w.at == 0
	if code := w.flush(tls); code != sqlite3.SQLITE_OK || w.commits && !head {
		return code
	}
	return callSync(w.driver().FxSync)(tls, file, flags)
}

func logWriterOf(file uintptr) *logWriter {
	w, _ := logWriters.Load(file)
	return w.(*logWriter) // its methods are those of files that are there
}

// What follows calls what the driver made of C: a function is the address of its code, and
// memory that Go does not know.

type (
	writeFunc = func(tls *libc.TLS, file, buf uintptr, n int32, at int64) int32
	syncFunc  = func(tls *libc.TLS, file uintptr, flags int32) int32
)

// A function that holds variables would have to be kept alive elsewhere.
func fnWrite(f writeFunc) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f writeFunc }{f})) }
func fnSync(f syncFunc) uintptr   { return *(*uintptr)(unsafe.Pointer(&struct{ f syncFunc }{f})) }

func callWrite(code uintptr) writeFunc {
	return *(*writeFunc)(unsafe.Pointer(&struct{ code uintptr }{code}))
}

func callSync(code uintptr) syncFunc {
	return *(*syncFunc)(unsafe.Pointer(&struct{ code uintptr }{code}))
}

// pointer is an address outside of Go's memory.
func pointer(at uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&at)) }
