package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tianbao/internal/clock"
	"tianbao/internal/db"
	"tianbao/internal/seal"
	"tianbao/internal/store"
)

// The words with which a check ends.
const (
	well   = "好"
	minded = "注意"
	bad    = "坏"
)

// sampled is how many values are opened at each end of a sealed column.
const sampled = 100

// doctor is `tianbao doctor`: whether all is well, line by line, each with what to do. It
// changes nothing of a database whose schema is another than the program's, and goes on
// behind what is wrong as far as it can. Exit code 1: something is 坏.
func doctor(ctx context.Context, e env, args []string) int {
	x := &examination{e: e, now: clock.System}
	fs := e.flags("doctor")
	x.place.flags(fs)
	x.outgoing.flags(fs)
	x.inbox.flags(fs)
	fs.StringVar(&x.backups, "backup-dir", "", "每日备份文件夹，与 serve 的一样；给出后检查备份是否按时")
	fs.StringVar(&x.ship, "ship", "", "持续备份文件夹，与 serve 的一样；给出后检查它是否跟得上")
	fs.BoolVar(&x.quick, "quick", false, "少查一些：数据库只粗查，不核对审计记录和填报情况，适合库很大或正忙的时候")
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	if fs.NArg() > 0 {
		_, _ = fmt.Fprintf(e.stderr, "不认识的参数 %q，选项见 tianbao doctor -h。\n", fs.Arg(0))
		return exitUsage
	}
	x.place.fill()
	x.host()
	x.files()
	x.database(ctx)
	x.outside(ctx)
	_, _ = fmt.Fprintf(e.stdout, "共 %d 项：%s %d，%s %d，%s %d。\n", x.count[well]+x.count[minded]+x.count[bad], well, x.count[well], minded, x.count[minded], bad, x.count[bad])
	if x.count[bad] > 0 {
		return exitError
	}
	return exitOK
}

// examination is one run of it.
type examination struct {
	e     env
	now   clock.Clock
	place place
	outgoing
	inbox   inbox
	backups string
	ship    string
	quick   bool
	count   map[string]int
}

// tell writes a line: what was looked at, how it is, what to do.
func (x *examination) tell(word, what, format string, args ...any) {
	if x.count == nil {
		x.count = make(map[string]int)
	}
	x.count[word]++
	pad := strings.Repeat("　", 2-len([]rune(word)))
	_, _ = fmt.Fprintf(x.e.stdout, "%s%s　%s：%s\n", word, pad, what, fmt.Sprintf(format, args...))
}

// host looks at the machine: clock, time zone, room.
func (x *examination) host() {
	if set, known := clockSet(); known && !set {
		x.tell(minded, "时钟", "没有与时间源同步，登录码和截止时间会不准；请启用 NTP（chrony 或 systemd-timesyncd）")
	} else if known {
		x.tell(well, "时钟", "与时间源同步")
	}
	if _, offset := x.now().Local().Zone(); offset != 8*3600 {
		x.tell(minded, "时区", "机器用的不是北京时间；系统内一律按北京时间，只有日志的时间不同")
	} else {
		x.tell(well, "时区", "北京时间")
	}
	dir := x.place.data
	if !db.IsPostgresURL(x.place.db) {
		dir = filepath.Dir(x.place.db)
	}
	x.room("数据所在的磁盘", dir)
	if x.backups != "" {
		x.room("备份所在的磁盘", x.backups)
		switch at, _ := newestBackup(x.backups); {
		case at.IsZero():
			x.tell(bad, "备份", "%s 里没有每日备份，请检查服务是否带 --backup-dir 运行、文件夹是否可写", x.backups)
		case x.now().Sub(at) > 30*time.Hour:
			x.tell(bad, "备份", "最近一份是 %s 的，请看日志里备份为什么没有做成，并先运行 tianbao backup", local(at))
		default:
			x.tell(well, "备份", "最近一份是 %s 的；它是否完好请用 tianbao verify 校验", local(at))
		}
	}
}

func (x *examination) room(what, dir string) {
	free, all, known := freeOn(dir)
	switch {
	case !known:
		return
	case free < leastFree:
		x.tell(bad, what, "只剩 %d MB，已经不能放心写入，请马上腾出空间", free>>20)
	case free < 2<<30 || free < all/10:
		x.tell(minded, what, "只剩 %d MB（%d%%），请尽快腾出空间", free>>20, free*100/max(all, 1))
	default:
		x.tell(well, what, "剩余 %d MB", free>>20)
	}
}

// files looks at who may read what lies in the data folder.
func (x *examination) files() {
	paths := []string{x.place.keyFile}
	if !db.IsPostgresURL(x.place.db) {
		paths = append(paths, x.place.db)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			continue // told where it is needed
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			x.tell(bad, "文件权限", "%s 别的用户也能读写（%o），请运行 chmod 600 %s", path, mode, path)
		} else {
			x.tell(well, "文件权限", "%s 只有运行服务的用户能读", path)
		}
	}
}

// database looks at what is stored, from the keys upward.
func (x *examination) database(ctx context.Context) {
	ring, err := seal.OpenFile(x.place.keyFile, false, seal.SM4)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.tell(bad, "密钥文件", "没有 %s，请放回备份的密钥文件，或用 --key-file 指明；没有它，身份证号和电话都打不开", x.place.keyFile)
	case err != nil:
		x.tell(bad, "密钥文件", "%v", err)
	default:
		x.tell(well, "密钥文件", "可以读，有 %d 个密钥", len(ring.Keys()))
		if x.ship != "" {
			x.room("持续备份所在的磁盘", x.ship)
			x.shipFolder(ring)
		}
	}
	if !db.IsPostgresURL(x.place.db) {
		if _, err := os.Stat(x.place.db); err != nil { // opening would make it
			x.tell(bad, "数据库", "没有数据库文件 %s，请用 --data 或 --db 指明", x.place.db)
			return
		}
	}
	d, err := db.Open(ctx, db.Options{URL: x.place.db})
	if err != nil {
		x.tell(bad, "数据库", "打不开：%v", err)
		return
	}
	same := x.stored(ctx, d, ring)
	if err := d.Close(context.WithoutCancel(ctx)); err != nil {
		x.tell(bad, "数据库", "关闭时出错：%v", err)
	}
	switch {
	case !same:
	case x.quick:
		x.tell(minded, "审计记录、填报情况", "带 --quick 时没有核对")
	default:
		x.office(ctx)
	}
}

// stored looks at the database as it is and reports whether this program may open it as
// its own.
func (x *examination) stored(ctx context.Context, d *db.DB, ring *seal.Ring) bool {
	found, err := d.Checkup(ctx, x.quick)
	if err != nil {
		x.tell(bad, "数据库", "不能检查：%v", err)
		return false
	}
	for _, f := range found {
		if f.Bad {
			x.tell(bad, "数据库", "%s。请先留一份现在的样子，再恢复最近的备份", f.Text)
		} else {
			x.tell(minded, "数据库", "%s", f.Text)
		}
	}
	if len(found) == 0 {
		x.tell(well, "数据库", "%s，没有发现损坏", d.Kind())
	}
	x.clocks(ctx, d)
	same := x.schema(ctx, d)
	if bound, err := store.KeysBound(ctx, d); ring == nil || err != nil || !bound {
		if ring != nil {
			x.tell(minded, "密钥", "数据库还没有用过，没有可以打开的内容")
		}
		return false
	}
	s := store.New(d, ring, &clock.IDs{Clock: x.now}, nil, x.now)
	if err := s.BindKeys(ctx); err != nil {
		x.tell(bad, "密钥", "%v", err)
		return false
	}
	x.future(ctx, s)
	x.sealed(ctx, s)
	return same
}

// future looks for what was written by a clock that ran ahead.
func (x *examination) future(ctx context.Context, s *store.Store) {
	switch _, at, err := s.Newest(ctx); {
	case err != nil:
		x.tell(bad, "记录的时间", "不能读审计记录：%v", err)
	case at.Sub(x.now()) > sameTime:
		x.tell(bad, "记录的时间", "最新的审计记录写于 %s，比现在还晚 %s：时钟现在慢了，或者以前快过。请核对时钟；时钟没有错的，重新启动服务，它会把等待和计时改到现在", local(at), at.Sub(x.now()).Round(time.Second))
	default:
		x.tell(well, "记录的时间", "没有晚于现在的")
	}
}

func (x *examination) clocks(ctx context.Context, d *db.DB) {
	at, there, err := d.Clock(ctx)
	if err != nil || !there {
		return
	}
	if off := x.now().Sub(at).Abs(); off > 5*time.Second {
		x.tell(minded, "数据库的时钟", "与这台机器相差 %s，请让两台都与时间源同步", off.Round(time.Second))
	} else {
		x.tell(well, "数据库的时钟", "与这台机器一致")
	}
}

// schema reports whether the schema is this program's.
func (x *examination) schema(ctx context.Context, d *db.DB) bool {
	has, err := db.SchemaVersion(ctx, d)
	wants := newestMigration()
	switch {
	case err != nil:
		x.tell(bad, "结构版本", "读不到，请检查它是不是本系统的数据库：%v", err)
	case has > wants:
		x.tell(bad, "结构版本", "数据库是 %d，本程序只认识到 %d；请换用新版程序", has, wants)
	case has < wants:
		x.tell(minded, "结构版本", "数据库是 %d，本程序是 %d；下次启动服务时自动升级，请先备份。升级前只做了一部分检查", has, wants)
	default:
		x.tell(well, "结构版本", "%d，与程序一致", has)
	}
	return err == nil && has == wants
}

// newestMigration is the schema that this program makes.
func newestMigration() (newest int64) {
	files, err := fs.ReadDir(store.Migrations(), ".")
	if err != nil {
		return 0 // they are part of the program
	}
	for _, f := range files {
		number, _, _ := strings.Cut(f.Name(), "_")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			newest = max(newest, n)
		}
	}
	return newest
}

// sealed opens some of what is sealed, and looks whether it is found.
func (x *examination) sealed(ctx context.Context, s *store.Store) {
	list, err := s.SampleSealed(ctx, sampled)
	if err != nil {
		x.tell(bad, "加密的内容", "不能抽查：%v", err)
		return
	}
	seen, failed := 0, 0
	for _, c := range list {
		if seen += c.Seen; c.Failed > 0 {
			failed += c.Failed
			x.tell(bad, "加密的内容", "%s 抽查 %d 项，有 %d 项打不开；请看 tianbao keys status，放回停用密钥以前的密钥文件，再恢复备份", c.Column, c.Seen, c.Failed)
		}
	}
	if failed == 0 {
		x.tell(well, "加密的内容", "%d 处抽查 %d 项，都打得开", len(list), seen)
	}
	switch keys, err := s.SampleKeys(ctx, sampled); {
	case err != nil:
		x.tell(bad, "检索", "不能抽查：%v", err)
	case keys.Failed > 0:
		x.tell(bad, "检索", "抽查 %d 行，有 %d 行的检索键与内容不符，按证件号码会找不到；请恢复备份，或导出后重新导入这些行", keys.Seen, keys.Failed)
	default:
		x.tell(well, "检索", "抽查 %d 行，检索键都与内容相符", keys.Seen)
	}
	if at, err := s.NewestEvent(ctx); err == nil && at > 0 {
		if ahead := time.UnixMilli(at).Sub(x.now()); ahead > time.Minute {
			x.tell(bad, "时钟", "最近一条审计记录比现在晚 %s，机器的时钟被拨回去了，请校准", ahead.Round(time.Second))
		}
	}
}

// office opens the installation as the server does, and holds together what is kept twice.
func (x *examination) office(ctx context.Context) {
	log := slog.New(slog.DiscardHandler)
	in, err := x.place.open(ctx, log)
	if err != nil {
		x.tell(bad, "启动", "服务不能启动：%v", err)
		return
	}
	defer in.close(log)
	if kept, err := readCheckpoints(in.checkpoints); err != nil {
		x.tell(bad, "审计记录", "不能读检查点文件：%v", err)
	} else if f, err := in.audit.Verify(ctx, kept...); err != nil {
		x.tell(bad, "审计记录", "不能校验：%v", err)
	} else if !f.OK() {
		x.tell(bad, "审计记录", "被动过：记录 %d 处，账号和授权 %d 项；请运行 tianbao audit verify 看在哪里，并报告安全管理员", len(f.Faults)+f.More, len(f.Altered))
	} else {
		x.tell(well, "审计记录", "%d 条，账号和授权 %d 项，没有发现改动", f.Records, f.Rights)
	}
	list, err := in.store.Collections(ctx)
	if err != nil {
		x.tell(bad, "填报情况", "不能读采集：%v", err)
		return
	}
	wrong, units := 0, 0
	for _, c := range list {
		sum, err := in.store.Recount(ctx, c.ID, false)
		if err != nil {
			x.tell(bad, "填报情况", "不能核对采集 %s：%v", c.ID, err)
			return
		}
		units += sum.Units
		if n := sum.Parts + sum.Standings; n > 0 {
			wrong++
			x.tell(bad, "填报情况", "采集 %s 有 %d 处与重新计算的不同；请运行 tianbao campaign recount --mend 改正，并告诉开发者", c.ID, n)
		}
	}
	if wrong == 0 {
		x.tell(well, "填报情况", "%d 次采集、%d 个单位，与重新计算的一致", len(list), units)
	}
}
