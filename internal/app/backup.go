package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/backup"
	"tianbao/internal/clock"
	"tianbao/internal/db"
	"tianbao/internal/seal"
	"tianbao/internal/store"
)

// backUp is `tianbao backup`: a copy of the running database in one sealed file.
func backUp(ctx context.Context, e env, args []string) int {
	var p place
	var to string
	fs := e.flags("backup")
	p.flags(fs)
	fs.StringVar(&to, "o", "", "备份文件，不能已经存在；文件用密钥文件加密，恢复时要有同一个密钥文件")
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	if to == "" || fs.NArg() > 0 {
		_, _ = fmt.Fprintln(e.stderr, "用法：tianbao backup -o 备份文件 [选项]")
		return exitUsage
	}
	return e.bare(ctx, &p, func(b *bare) error {
		sum, digest, err := b.writeTo(ctx, to)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(e.stdout, "已备份到 %s：%d 张表，%d 行。\nSHA-256 %s\n请把文件移到另一台机器上，与密钥文件 %s 分开保管。校验：tianbao verify %s\n",
			to, len(sum.Tables), sum.Rows(), digest, p.keyFile, to)
		return nil
	})
}

// restore is `tianbao restore`: a backup becomes a database that nobody has used yet.
func restore(ctx context.Context, e env, args []string) int {
	var p place
	var from, at string
	fs := e.flags("restore")
	p.flags(fs)
	fs.StringVar(&from, "from", "", "持续备份文件夹（serve 的 --ship）；给出后恢复其中一个时间，不用备份文件")
	fs.StringVar(&at, "at", "", "恢复到什么时间，例如 2026-11-26T16:55:00+08:00，或北京时间 \"2026-11-26 16:55:00\"；默认为最新")
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	if from != "" && fs.NArg() == 0 {
		p.fill()
		return e.restoreMoment(ctx, &p, from, at)
	}
	if fs.NArg() != 1 || from != "" || at != "" {
		_, _ = fmt.Fprintln(e.stderr, "用法：tianbao restore [选项] 备份文件\n　　　tianbao restore --from 持续备份文件夹 [--at 时间] [选项]")
		return exitUsage
	}
	p.fill()
	path := fs.Arg(0)
	ring, err := seal.OpenFile(p.keyFile, false, seal.SM4)
	if err != nil {
		return e.failed(err)
	}
	// The whole file is judged before anything is made.
	head, _, err := verifyFile(path, ring)
	if err != nil {
		return e.failed(err)
	}
	f, err := os.Open(path)
	if err != nil {
		return e.failed(err)
	}
	sum, err := p.fillNew(ctx, head.Schema, func() (*backup.Reader, error) {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		return backup.NewReader(f, ring)
	})
	if err = errors.Join(told(err), f.Close()); err != nil {
		return e.failed(err)
	}
	return e.within(ctx, &p, func(in *installation) (int, error) {
		err := in.store.Restored(ctx, tianbao.Event{At: clock.System(), Detail: fmt.Sprintf("of=%s rows=%d digest=%s", head.At.Format(time.RFC3339), sum.Rows(), sum.Digest)})
		if err != nil {
			return exitOK, err
		}
		_, _ = fmt.Fprintf(e.stdout, "已恢复到 %s 的数据：%d 张表，%d 行，逐表核对一致。所有人需要重新登录。\n请接着运行 tianbao audit verify：备份之后的审计记录不在其中，校验会指出来。\n",
			local(head.At), len(sum.Tables), sum.Rows())
		return exitOK, nil
	})
}

// verifyBackup is `tianbao verify`: whether a backup is whole, without a database.
func verifyBackup(_ context.Context, e env, args []string) int {
	var p place
	fs := e.flags("verify")
	p.flags(fs)
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	if fs.NArg() != 1 {
		_, _ = fmt.Fprintln(e.stderr, "用法：tianbao verify [选项] 备份文件")
		return exitUsage
	}
	p.fill()
	ring, err := seal.OpenFile(p.keyFile, false, seal.SM4)
	if err != nil {
		return e.failed(err)
	}
	head, sum, err := verifyFile(fs.Arg(0), ring)
	if err != nil {
		return e.failed(err)
	}
	_, _ = fmt.Fprintf(e.stdout, "备份完好：%s 的数据，结构版本 %d，%d 张表，%d 行。\n数据摘要 %s\n", local(head.At), sum.Schema, len(sum.Tables), sum.Rows(), sum.Digest)
	return exitOK
}

// move is `tianbao move`: from one database to another, of whichever engine.
func move(ctx context.Context, e env, args []string) int {
	var p place
	var to string
	fs := e.flags("move")
	p.flags(fs)
	fs.StringVar(&to, "to", "", "目标数据库：SQLite 文件，或 postgres://…（含密码时请用环境变量 TIANBAO_TO），必须还没有用过")
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	if to == "" || fs.NArg() > 0 {
		_, _ = fmt.Fprintln(e.stderr, "用法：tianbao move --to 目标数据库 [选项]")
		return exitUsage
	}
	return e.bare(ctx, &p, func(b *bare) error {
		before, err := backup.Sum(ctx, b.db)
		if err != nil {
			return err
		}
		target := p
		target.db = to
		sum, err := target.fillNew(ctx, before.Schema, func() (*backup.Reader, error) { return b.piped(ctx) })
		if err != nil {
			return told(err)
		}
		after, err := backup.Sum(ctx, b.db)
		if err != nil {
			return err
		}
		if diff := after.Differences(sum); len(diff) > 0 {
			return fmt.Errorf("搬迁期间有人保存了数据，目标数据库缺少这些内容，不能使用；请先停止服务，清空目标数据库后再搬一次（不同的表：%s）", strings.Join(diff, "、"))
		}
		_, _ = fmt.Fprintf(e.stdout, "已搬到新数据库：%d 张表，%d 行，逐表核对一致。\n数据摘要 %s\n请用同一个密钥文件 %s 启动服务，旧数据库留作备份。\n", len(sum.Tables), sum.Rows(), sum.Digest, p.keyFile)
		return nil
	})
}

// bare is a database with its keys and nothing else: of whatever schema it is, nothing of
// it is changed by opening it.
type bare struct {
	db   *db.DB
	ring *seal.Ring
	at   *store.Store
}

// fill gives the places that no flag named.
func (p *place) fill() {
	if p.keyFile == "" {
		p.keyFile = filepath.Join(p.data, "keys", "ring.json")
	}
	if p.db == "" {
		p.db = filepath.Join(p.data, "db", "tianbao.db")
	}
}

// bare opens the database of a place as it is, for an act.
func (e env) bare(ctx context.Context, p *place, act func(*bare) error) int {
	p.fill()
	if !db.IsPostgresURL(p.db) {
		if _, err := os.Stat(p.db); err != nil { // opening would make it
			return e.failed(fmt.Errorf("没有数据库文件 %s，请用 --data 或 --db 指明", p.db))
		}
	}
	ring, err := seal.OpenFile(p.keyFile, false, seal.SM4)
	if err != nil {
		return e.failed(err)
	}
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	d, err := db.Open(ctx, db.Options{URL: p.db, Log: log})
	if err != nil {
		return e.failed(err)
	}
	err = func() error {
		b := &bare{d, ring, store.New(d, ring, &clock.IDs{Clock: clock.System}, nil, clock.System)}
		if bound, err := store.KeysBound(ctx, d); err != nil || !bound {
			return errors.Join(errors.New("这个数据库还没有用过，没有可以备份的内容"), err)
		}
		if err := b.at.BindKeys(ctx); err != nil {
			return err
		}
		return act(b)
	}()
	if err = errors.Join(err, d.Close(context.WithoutCancel(ctx))); err != nil {
		return e.failed(err)
	}
	return exitOK
}

// writeTo writes a backup into a new file, which gets its name when all of it is on the
// disk, and tells the trail.
func (b *bare) writeTo(ctx context.Context, path string) (sum *backup.Summary, digest string, err error) {
	f, err := newWhole(path, "备份文件")
	if err != nil {
		return nil, "", err
	}
	if sum, err = backup.Write(ctx, b.db, b.ring, f, clock.System()); err == nil {
		err = f.keep()
	}
	if err != nil {
		f.drop()
		return nil, "", err
	}
	digest = hex.EncodeToString(f.sum.Sum(nil))
	event := tianbao.Event{At: clock.System(), What: "database.backup", Detail: fmt.Sprintf("rows=%d sha256=%s", sum.Rows(), digest)}
	if err := b.at.Record(ctx, event); err != nil {
		return nil, "", fmt.Errorf("备份已写好，但没有能记入审计记录：%w", err)
	}
	return sum, digest, nil
}

// piped reads a backup while it is written, so that no file is needed.
func (b *bare) piped(ctx context.Context) (*backup.Reader, error) {
	r, w := io.Pipe()
	go func() {
		_, err := backup.Write(ctx, b.db, b.ring, w, clock.System())
		_ = w.CloseWithError(err) // always nil (io.PipeWriter)
	}()
	x, err := backup.NewReader(r, b.ring)
	if err != nil {
		_ = r.Close() // always nil; the writer ends
	}
	return x, err
}

// fillNew makes the database of a place, of a schema, and fills it from a backup.
func (p *place) fillNew(ctx context.Context, schema int64, open func() (*backup.Reader, error)) (sum *backup.Summary, err error) {
	d, err := db.Open(ctx, db.Options{URL: p.db, Migrations: store.Migrations(), UpTo: schema})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close(context.WithoutCancel(ctx))) }()
	bound, err := store.KeysBound(ctx, d)
	if err != nil {
		return nil, err
	}
	if bound {
		return nil, errors.New("目标数据库已经用过，里面的数据不会被覆盖；请换一个空的数据目录或数据库")
	}
	return backup.Restore(ctx, d, open)
}

// verifyFile reads a backup to its end.
func verifyFile(path string, ring *seal.Ring) (_ backup.Head, _ *backup.Summary, err error) {
	f, err := os.Open(path)
	if err != nil {
		return backup.Head{}, nil, fmt.Errorf("打不开备份文件 %s，请检查路径和权限：%w", path, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r, err := backup.NewReader(f, ring)
	if err != nil {
		return backup.Head{}, nil, told(err)
	}
	defer r.Close()
	sum, err := r.Verify()
	return r.Head, sum, told(err)
}

// told says what to do about a file that cannot be read.
func told(err error) error {
	switch {
	case errors.Is(err, backup.ErrKey):
		return fmt.Errorf("备份是用另一把密钥加密的；请用 --key-file 指明当时的密钥文件：%w", err)
	case errors.Is(err, backup.ErrFormat):
		return fmt.Errorf("这不是完好的备份文件（可能没有传完、被改动，或密钥文件不是同一套）；请换一份备份，数据库没有改动：%w", err)
	}
	return err
}

func local(t time.Time) string { return t.In(clock.Shanghai).Format("2006-01-02 15:04:05") }
