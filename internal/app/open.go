package app

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/auth"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
	"tianbao/internal/compare"
	"tianbao/internal/db"
	"tianbao/internal/form"
	"tianbao/internal/living"
	"tianbao/internal/message"
	"tianbao/internal/org"
	"tianbao/internal/report"
	"tianbao/internal/seal"
	"tianbao/internal/sheet"
	"tianbao/internal/store"
	"tianbao/internal/web"
)

// place is where an installation keeps its data, as flags give it.
type place struct {
	data, db, keyFile, alg string
}

func (p *place) flags(fs *flag.FlagSet) {
	fs.StringVar(&p.data, "data", "data", "数据目录")
	fs.StringVar(&p.db, "db", "", "数据库：SQLite 文件，或 postgres://…（含密码时请用环境变量 TIANBAO_DB）；默认为数据目录下的 db/tianbao.db")
	fs.StringVar(&p.keyFile, "key-file", "", "密钥文件，第一次启动时建立；默认为数据目录下的 keys/ring.json，备份时请与数据库分开保管")
	fs.StringVar(&p.alg, "alg", seal.SM4.String(), "第一次启动时新建密钥的算法：sm4-gcm（国密 SM4、SM3）或 aes-256-gcm（AES、SHA-256）")
}

// installation is an open installation: everything that serve and user need.
type installation struct {
	db    *db.DB
	store *store.Store
	ids   *clock.IDs
	auth  *auth.Service
	audit *audit.Service
	// keys follows the key file, which may get another key at any time.
	keys *seal.Live
	// checkpoints is the file beside the database that keeps signed checkpoints.
	checkpoints string
	reports     *report.Service
	org         *org.Service
	campaigns   *campaign.Service
	messages    *message.Service
	living      *living.Service
	compare     *compare.Service
	forms       *form.Registry
	builtin     chan builtinForms // those of the program, once they are read
	rules       sync.Map          // of *check.Checker by form name and version
	// digest signs what leaves the house and has to be known again.
	digest func(label string, parts ...[]byte) string
	// register is what the rules know of the units' codes.
	register register
	// clockWatch notices when the clock is set; unset is what is not recorded of that yet, doubted
	// how far it is from where it was at the start.
	clockWatch     *clock.Watch
	unset, doubted time.Duration
	// backupsFailed counts the daily backups that could not be made.
	backupsFailed atomic.Uint64
}

// builtinForms are the program's own forms, or why they cannot be read.
type builtinForms struct {
	forms *form.Registry
	err   error
}

// open opens the database and the key file that belongs to it. New keys are made
// only for a database that was never written with any, and are safely on disk
// before anything is sealed with them.
func (p *place) open(ctx context.Context, log *slog.Logger) (*installation, error) {
	p.fill()
	alg, err := seal.ParseAlg(p.alg)
	if err != nil {
		return nil, fmt.Errorf("--alg 只能是 sm4-gcm 或 aes-256-gcm，没有 %q", p.alg)
	}
	in := &installation{forms: &form.Registry{}, checkpoints: filepath.Join(p.data, "audit", "checkpoints.jsonl")}
	in.builtin = make(chan builtinForms, 1)
	go func() { // beside the opening, which takes longer
		forms, err := form.Builtin()
		in.builtin <- builtinForms{forms, err}
	}()
	if in.db, err = db.Open(ctx, db.Options{URL: p.db, Migrations: store.Migrations(), Log: log}); err != nil {
		return nil, err
	}
	if err := in.unlock(ctx, p.keyFile, alg, log); err != nil {
		return nil, errors.Join(err, in.db.Close(ctx))
	}
	return in, nil
}

// within opens the installation for a subcommand and closes it after the act, whose
// exit code it returns, or that of its error.
func (e env) within(ctx context.Context, p *place, act func(in *installation) (code int, err error)) int {
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	in, err := p.open(ctx, log)
	if err != nil {
		return e.failed(err)
	}
	defer in.close(log)
	code, err := act(in)
	if err != nil {
		return e.failed(err)
	}
	return code
}

// unlock opens the key file and what stands on it.
func (in *installation) unlock(ctx context.Context, keyFile string, alg seal.Alg, log *slog.Logger) error {
	bound, err := store.KeysBound(ctx, in.db)
	if err != nil {
		return err
	}
	if in.keys, err = seal.OpenLive(keyFile, !bound, alg); err != nil {
		return err
	}
	ring := in.keys.Ring() // its digest and signing keys never change
	in.digest = ring.Digest
	secret, err := ring.SigningSecret("audit")
	if err != nil {
		return err
	}
	signer, err := audit.NewSigner(secret)
	if err != nil {
		return err
	}
	in.ids = &clock.IDs{Clock: clock.System}
	in.clockWatch = &clock.Watch{Clock: clock.System}
	in.store = store.New(in.db, in.keys, in.ids, in.form, clock.System)
	in.audit = &audit.Service{Store: in.store, Digest: ring.Digest, Signer: signer, Now: clock.System}
	if err := in.store.BindKeys(ctx); err != nil {
		return err
	}
	if err := in.store.SealRights(ctx); err != nil {
		return err
	}
	if err := in.store.EnsureUnitsIndexed(ctx); err != nil {
		return err
	}
	if err := in.store.EnsureRegions(ctx); err != nil {
		return err
	}
	builtin := <-in.builtin
	if builtin.err != nil {
		return builtin.err
	}
	if err := in.storeForms(ctx, builtin.forms, log); err != nil {
		return err
	}
	in.register.store = in.store
	if err := in.store.EnsureStandings(ctx); err != nil {
		return err
	}
	in.auth = auth.New(in.store, clock.System, in.ids, auth.DefaultParams())
	in.auth.Batches = func(find func(map[string]string) tianbao.UnitMatch) (auth.BatchRules, error) {
		c, err := in.checker(auth.BatchForm, in.forms.Latest(auth.BatchForm).Version)
		if err != nil {
			return nil, err
		}
		return c.Against(find), nil
	}
	in.reports = &report.Service{
		Store: in.store, IDs: in.ids, Now: clock.System, Digest: ring.Digest,
		Rules: func(name string, version int) (report.Checker, error) { return in.checker(name, version) },
		Held: func(name string, version int, find func(map[string]string) tianbao.UnitMatch, beside tianbao.Beside, failed func(error)) (report.Checker, error) {
			c, err := in.checker(name, version)
			if err != nil {
				return nil, err
			}
			return c.Against(find).Beside(beside, failed), nil
		},
	}
	rules, err := in.checker(org.FormName, in.forms.Latest(org.FormName).Version)
	if err != nil {
		return err
	}
	in.org = &org.Service{Store: in.store, Checker: rules, IDs: in.ids, Now: clock.System}
	in.messages = &message.Service{Store: in.store, IDs: in.ids, Now: clock.System}
	oldForm, err := in.form(compare.FormName, 1)
	if err != nil {
		return err
	}
	in.compare = &compare.Service{Store: in.store, Find: in.store.UnitFinder, Form: oldForm, IDs: in.ids, Now: clock.System}
	in.campaigns = &campaign.Service{Store: in.store, IDs: in.ids, Now: clock.System, Form: in.form}
	in.living = &living.Service{Store: in.store, Office: report.Register{Service: in.reports}, Form: in.form, IDs: in.ids, Now: clock.System}
	return nil
}

// close waits for what is being written and closes the database.
func (in *installation) close(log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := in.db.Close(ctx); err != nil {
		log.Error("the database did not close", "err", err)
	}
}

// workbooks gives the pages internal/sheet as they need it.
type workbooks struct{ in *installation }

func (b workbooks) Read(ctx context.Context, data []byte, name, form string, version int, help web.ReadHelp) (*tianbao.Import, error) {
	c, err := b.in.checker(form, version)
	if err != nil {
		return nil, err
	}
	return sheet.Read(ctx, bytes.NewReader(data), int64(len(data)), name, c, sheet.ReadOptions{Password: help.Password, Sheet: help.Sheet, Headers: help.Headers, Digest: b.in.digest})
}

func (b workbooks) Heads(ctx context.Context, data []byte, name, form string, version int, help web.ReadHelp) ([]web.SheetHead, error) {
	c, err := b.in.checker(form, version)
	if err != nil {
		return nil, err
	}
	heads, err := sheet.Heads(ctx, bytes.NewReader(data), int64(len(data)), name, c, sheet.ReadOptions{Password: help.Password, Sheet: help.Sheet, Headers: help.Headers})
	out := make([]web.SheetHead, len(heads))
	for i, h := range heads {
		out[i] = web.SheetHead{Sheet: h.Sheet, Texts: h.Texts, Names: h.Names, Fields: h.Fields}
	}
	return out, err
}

func (b workbooks) Book(data []byte, name, form string, version int, help web.ReadHelp) (report.Book, error) {
	c, err := b.in.checker(form, version)
	if err != nil {
		return nil, err
	}
	opt := sheet.ReadOptions{Password: help.Password, Sheet: help.Sheet, Digest: b.in.digest}
	return scannedBook{sheet.NewScanner(bytes.NewReader(data), int64(len(data)), name, c, opt)}, nil
}

// scannedBook is a workbook for a long import.
type scannedBook struct{ *sheet.Scanner }

func (b scannedBook) Scan(ctx context.Context, fn func(*tianbao.Import, *tianbao.ImportedRow) error) (*tianbao.Import, error) {
	imp, err := b.Scanner.Scan(ctx, fn)
	if errors.Is(err, sheet.ErrNeedsAll) {
		return nil, report.ErrNeedsAll
	}
	return imp, err
}

func (b workbooks) Write(w io.Writer, f *tianbao.Form, rows iter.Seq[tianbao.Row], at time.Time, rep tianbao.ID, version int64) error {
	return b.write(w, f, rows, rep, version, sheet.WriteOptions{Created: at, SelfCheck: true})
}

func (b workbooks) Export(w io.Writer, f *tianbao.Form, rows iter.Seq[tianbao.Row], at time.Time, rep tianbao.ID, version int64, mark tianbao.ExportMark) error {
	code := traceCode(b.in.digest, mark.Code)
	return b.write(w, f, rows, rep, version, sheet.WriteOptions{Created: at, SelfCheck: true, Trace: &code, Footer: mark.Line})
}

func (b workbooks) Across(w io.Writer, f *tianbao.Form, rows iter.Seq2[tianbao.Row, error], at time.Time, csv bool, mark *tianbao.ExportMark) error {
	if csv {
		return sheet.WriteCSV(w, f, rows)
	}
	opt := sheet.WriteOptions{Created: at, Sheet: "汇总"}
	if mark != nil {
		code := traceCode(b.in.digest, mark.Code)
		opt.Trace, opt.Footer = &code, mark.Line
	}
	return sheet.Write(w, f, rows, opt)
}

func (b workbooks) write(w io.Writer, f *tianbao.Form, rows iter.Seq[tianbao.Row], rep tianbao.ID, version int64, opt sheet.WriteOptions) error {
	if rep != 0 {
		opt.Stamp = &tianbao.Stamp{Report: rep, Version: version, At: opt.Created, Digest: b.in.digest}
	}
	return sheet.Write(w, f, func(yield func(tianbao.Row, error) bool) {
		for r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}, opt)
}

func (b workbooks) List(w io.Writer, f *tianbao.Form, title string, rows iter.Seq2[tianbao.Row, error], at time.Time) error {
	return sheet.Write(w, f, rows, sheet.WriteOptions{Created: at, Sheet: title})
}

// folderBooks gives them to the intake folder, where nobody can be asked.
type folderBooks struct{ workbooks }

func (b folderBooks) Read(ctx context.Context, data []byte, name, form string, version int) (*tianbao.Import, error) {
	return b.workbooks.Read(ctx, data, name, form, version, web.ReadHelp{})
}

func (b workbooks) Annotate(w io.Writer, f *tianbao.Form, imp *tianbao.Import, problems []tianbao.Problem, at time.Time) error {
	return sheet.WriteAnnotated(w, f, imp, problems, sheet.WriteOptions{Created: at})
}

var (
	_ report.Store  = (*store.Store)(nil)
	_ auth.Store    = (*store.Store)(nil)
	_ audit.Store   = (*store.Store)(nil)
	_ web.Catalog   = (*store.Store)(nil)
	_ message.Store = (*store.Store)(nil)
	_ web.Register  = (*store.Store)(nil)
	_ org.Store     = (*store.Store)(nil)
	_ compare.Store = (*store.Store)(nil)
	_ web.Compared  = (*store.Store)(nil)
	_ web.Drafts    = (*store.Store)(nil)
	_ web.Reveals   = (*store.Store)(nil)
	_ web.Workbooks = workbooks{}
)
