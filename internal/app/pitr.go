package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/db"
	"tianbao/internal/seal"
	"tianbao/internal/ship"
)

// parseMoment reads a moment in one of the ways in which people write it; without a zone it
// is Beijing time.
func parseMoment(text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	for _, form := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(form, text, clock.Shanghai); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("--at 的写法不对：%q；请写成 2026-11-26T16:55:00+08:00，或北京时间 \"2026-11-26 16:55:00\"", text)
}

// restoreMoment is `tianbao restore --from`: the database of a second.
func (e env) restoreMoment(ctx context.Context, p *place, from, moment string) int {
	if db.IsPostgresURL(p.db) {
		return e.failed(errors.New("--from 只能恢复成 SQLite 数据库文件；恢复后可以用 tianbao move 搬到 PostgreSQL"))
	}
	if _, err := os.Lstat(p.db); err == nil {
		return e.failed(fmt.Errorf("已经有数据库 %s，不会被覆盖；请用 --data 指明一个新的数据目录", p.db))
	}
	var at time.Time
	if moment != "" {
		var err error
		if at, err = parseMoment(moment); err != nil {
			return e.failed(err)
		}
	}
	ring, err := seal.OpenFile(p.keyFile, false, seal.SM4)
	if err != nil {
		return e.failed(err)
	}
	if err := os.MkdirAll(filepath.Dir(p.db), 0o700); err != nil {
		return e.failed(fmt.Errorf("不能建立 %s，请检查目录是否可写：%w", filepath.Dir(p.db), err))
	}
	// It gets its name when all of it has been looked at. What an earlier try left is ours.
	part := *p
	part.db += ".part"
	if err := removeDatabase(part.db); err != nil {
		return e.failed(err)
	}
	got, err := part.putBack(ctx, from, ring, at, true)
	if _, serr := os.Lstat(part.db + "-wal"); err == nil && serr == nil {
		err = errors.New("恢复出来的数据库没有能正常关闭，没有使用它；请再试一次")
	}
	if err == nil {
		if err = os.Link(part.db, p.db); err != nil {
			err = fmt.Errorf("不能建立数据库 %s，没有改动已有的文件：%w", p.db, err)
		}
	}
	if err = errors.Join(err, removeDatabase(part.db)); err != nil {
		return e.failed(err)
	}
	_, _ = fmt.Fprintf(e.stdout, "已恢复到 %s 的数据（最后一次保存在 %s）：%d 页，结构完整，摘要 %s 与当时记下的一致，审计记录 %d 条没有发现改动。所有人需要重新登录。\n这个时间之后保存的内容不在其中。\n",
		local(got.asked), local(got.At), got.Pages, got.Digest, got.records)
	return exitOK
}

func openArchive(from string, ring *seal.Ring) (*ship.Archive, error) {
	a, err := ship.Open(from, ring)
	if err != nil {
		return nil, fmt.Errorf("打不开持续备份文件夹 %s，请检查路径和权限：%w", from, err)
	}
	return a, nil
}

// removeDatabase removes a database file with what SQLite puts beside it.
func removeDatabase(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// putBackAs is what was put back, and looked at.
type putBackAs struct {
	*ship.Restored
	asked   time.Time
	records int
}

// putBack makes the database of a place, of a moment (zero: the newest), and looks whether
// all is well with it: its digest, its structure, its trail. With final the trail tells of
// it and all sessions end.
func (p *place) putBack(ctx context.Context, from string, ring *seal.Ring, at time.Time, final bool) (*putBackAs, error) {
	out := &putBackAs{asked: at}
	for try := 1; ; try++ {
		a, err := openArchive(from, ring)
		if err != nil {
			return nil, err
		}
		if at.IsZero() {
			if out.asked = a.Newest(); out.asked.IsZero() {
				return nil, noneOf(from, a)
			}
		}
		if out.Restored, err = a.Restore(ctx, out.asked, p.db); err == nil {
			break
		}
		// The server joins and removes files meanwhile.
		if !errors.Is(err, fs.ErrNotExist) || try == 3 {
			return nil, toldShip(err)
		}
	}
	d, err := db.Open(ctx, db.Options{URL: p.db})
	if err != nil {
		return nil, err
	}
	found, err := d.Checkup(ctx, false)
	if err = errors.Join(err, d.Close(context.WithoutCancel(ctx))); err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("恢复出来的数据库不完整，没有使用它；请换一个时间再试，并检查存放备份的磁盘：%s", found[0].Text)
	}
	log := slog.New(slog.DiscardHandler)
	in, err := p.open(ctx, log)
	if err != nil {
		return nil, err
	}
	defer in.close(log)
	f, err := in.audit.Verify(ctx)
	if err != nil {
		return nil, err
	}
	if !f.OK() {
		return nil, fmt.Errorf("恢复出来的审计记录有 %d 处被动过，账号和授权有 %d 项，没有使用它；请换一个时间再试，并报告安全管理员", len(f.Faults)+f.More, len(f.Altered))
	}
	out.records = int(f.Records)
	if final {
		err = in.store.Restored(ctx, tianbao.Event{At: clock.System(), Detail: fmt.Sprintf("of=%s frame=%d digest=%s", out.asked.Format(time.RFC3339), out.Frame, out.Digest)})
	}
	return out, err
}

// noneOf says of a folder that nothing can be put back.
func noneOf(from string, a *ship.Archive) error {
	if len(a.Faults) > 0 {
		return fmt.Errorf("%s 里的文件打不开；请用 --key-file 指明当时的密钥文件", from)
	}
	return fmt.Errorf("%s 里没有可以恢复的内容；请指明 serve --ship 用的文件夹", from)
}

// toldShip says what to do about what could not be put back.
func toldShip(err error) error {
	var outside *ship.OutsideError
	var file *ship.FileError
	switch {
	case errors.As(err, &outside) && len(outside.Windows) == 0:
		return fmt.Errorf("这个文件夹里没有可以恢复的内容；请指明 serve --ship 用的文件夹：%w", err)
	case errors.As(err, &outside):
		return fmt.Errorf("没有 %s 的数据；可以恢复的时间是 %s", local(outside.At), toldWindows(outside.Windows))
	case errors.Is(err, seal.ErrNoKey):
		return fmt.Errorf("备份是用另一把密钥加密的；请用 --key-file 指明当时的密钥文件：%w", err)
	case errors.As(err, &file):
		return fmt.Errorf("备份文件 %s 缺失、没有写完或被改动过（或密钥文件不是同一套）；请换一个更早的时间再试：%w", file.Name, file.Err)
	}
	return err
}

// drill is `tianbao drill`: puts some moments back in a folder of its own and tells how
// it went. Exit code 1: something did not come back.
func drill(ctx context.Context, e env, args []string) int {
	var p place
	var from, temp string
	var points int
	fs := e.flags("drill")
	p.flags(fs)
	fs.StringVar(&from, "from", "", "持续备份文件夹，与 serve 的 --ship 一样")
	fs.IntVar(&points, "points", 5, "恢复多少个时间点：最新的一个，其余随机")
	fs.StringVar(&temp, "temp", "", "在哪里恢复；默认为系统的临时文件夹，要放得下一份数据库")
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	if from == "" || fs.NArg() > 0 || points < 1 {
		_, _ = fmt.Fprintln(e.stderr, "用法：tianbao drill --from 持续备份文件夹 [选项]")
		return exitUsage
	}
	p.fill()
	ring, err := seal.OpenFile(p.keyFile, false, seal.SM4)
	if err != nil {
		return e.failed(err)
	}
	a, err := openArchive(from, ring)
	if err != nil {
		return e.failed(err)
	}
	newest := a.Newest()
	if newest.IsZero() {
		return e.failed(noneOf(from, a))
	}
	_, _ = fmt.Fprintf(e.stdout, "可以恢复的时间：%s\n", toldWindows(a.Windows()))
	_, _ = fmt.Fprintf(e.stdout, "%-20s%-20s%9s%9s  %s\n", "时间", "最后一次保存", "页", "秒", "结果")
	failed := 0
	for _, at := range append([]time.Time{newest}, ship.Moments(a.Windows(), points-1)...) {
		start := time.Now() // a figure
		got, err := p.tryBack(ctx, temp, from, ring, at)
		took := time.Since(start).Seconds()
		if ctx.Err() != nil {
			return e.failed(ctx.Err())
		}
		if err != nil {
			failed++
			_, _ = fmt.Fprintf(e.stdout, "%-22s%-22s%10s%10.1f  坏：%s\n", local(at), "", "", took, strings.ReplaceAll(err.Error(), "\n", "；"))
			continue
		}
		_, _ = fmt.Fprintf(e.stdout, "%-22s%-22s%10d%10.1f  好：审计记录 %d 条，摘要 %s 一致\n", local(at), local(got.At), got.Pages, took, got.records, got.Digest)
	}
	for _, gap := range append(a.Gaps(), a.Faults...) {
		failed++
		_, _ = fmt.Fprintf(e.stdout, "坏：缺少文件，或文件打不开（%s）\n", gap)
	}
	if failed > 0 {
		_, _ = fmt.Fprintf(e.stdout, "有 %d 处不能恢复。请检查存放备份的磁盘，并马上运行 tianbao backup 另留一份。\n", failed)
		return exitError
	}
	_, _ = fmt.Fprintln(e.stdout, "都能恢复。")
	return exitOK
}

// tryBack puts a moment back in a folder that goes again.
func (p *place) tryBack(ctx context.Context, temp, from string, ring *seal.Ring, at time.Time) (got *putBackAs, err error) {
	dir, err := os.MkdirTemp(temp, "tianbao-drill-") // mode 0700
	if err != nil {
		return nil, fmt.Errorf("不能建立临时文件夹，请用 --temp 指明一个：%w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	try := *p
	try.data, try.db = dir, filepath.Join(dir, "db", "tianbao.db")
	if err := os.Mkdir(filepath.Dir(try.db), 0o700); err != nil {
		return nil, err
	}
	return try.putBack(ctx, from, ring, at, false)
}
