package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tianbao/internal/clock"
	"tianbao/internal/db"
	"tianbao/internal/metrics"
	"tianbao/internal/seal"
	"tianbao/internal/ship"
)

// shipEnd is how long the end of the server waits for a folder that does not answer.
const shipEnd = 10 * time.Second

// shipping is where everything committed is copied to while the server runs.
type shipping struct {
	dir  string
	keep days
	s    *ship.Shipper
}

// days is a number of days as a flag, with or without its unit.
type days int

// String implements flag.Value.
func (d *days) String() string { return strconv.Itoa(int(*d)) + "d" }

// Set implements flag.Value.
func (d *days) Set(text string) error {
	n, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
	if err != nil || n < 1 || n > 3660 {
		return errors.New("天数要在 1 到 3660 之间，例如 14d")
	}
	*d = days(n)
	return nil
}

func (o *shipping) flags(fs *flag.FlagSet) {
	o.keep = 14
	fs.StringVar(&o.dir, "ship", "", "持续备份文件夹：一秒左右把保存的内容加密复制到这里，可以恢复到任何一秒（只用于 SQLite）；请放在另一块磁盘上")
	fs.Var(&o.keep, "ship-keep", "持续备份保留多少天")
}

// validate says what is wrong with the flags.
func (o *shipping) validate(data, database string) error {
	if o.dir == "" {
		return nil
	}
	if db.IsPostgresURL(database) {
		return errors.New("--ship 只用于 SQLite；PostgreSQL 请用它自己的 WAL 归档（pgBackRest），见 docs/operations.md")
	}
	// A share that is away keeps nobody from saving: the log tells, and it is tried again.
	if info, err := os.Stat(o.dir); err == nil && !info.IsDir() {
		return fmt.Errorf("持续备份文件夹 %s 不是文件夹，请换一个", o.dir)
	}
	if rel, err := filepath.Rel(data, o.dir); err == nil && !strings.HasPrefix(rel, "..") {
		return errors.New("持续备份文件夹不要放在数据目录里，最好在另一块磁盘上")
	}
	return nil
}

// begin begins to copy. The function it returns ends that, after what was committed last
// has been copied, and must be called before the database is closed.
func (o *shipping) begin(ctx context.Context, in *installation, log *slog.Logger) (end func(), err error) {
	if o.dir == "" {
		return func() {}, nil
	}
	o.s, err = ship.New(ship.Options{
		DB: in.db, Dir: o.dir, Seal: in.keys, Keep: time.Duration(o.keep) * 24 * time.Hour, Now: clock.System, Log: log,
		Night: func(t time.Time) bool { h := t.In(clock.Shanghai).Hour(); return h >= nightlyHour && h < nightlyHour+4 },
	})
	if err != nil {
		return nil, err
	}
	// It goes on until all others have ended.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.s.Run(ctx)
	}()
	return func() {
		cancel()
		select {
		case <-done:
		case <-time.After(shipEnd):
			log.Error("the folder for changes does not answer; the last ones are not copied", "dir", o.dir)
		}
	}, nil
}

// gather tells how it fares.
func (o *shipping) gather(s *metrics.Sink) {
	if o.s == nil {
		return
	}
	st := o.s.Status()
	failing := 0.0
	if st.Trouble != nil {
		failing = 1
	}
	s.Gauge("tianbao_ship_behind_seconds", "For how long something is committed that is not in the folder of --ship.", st.Behind.Seconds())
	s.Gauge("tianbao_ship_failing", "1 where nothing can be written there.", failing)
	s.Gauge("tianbao_ship_base_timestamp_seconds", "When the newest base copy was made by this process, 0: there is none.", seconds(st.Base))
	s.Counter("tianbao_ship_bytes_total", "What was written there.", float64(st.Bytes))
	s.Counter("tianbao_ship_files_total", "Files that were written there.", float64(st.Files))
	s.Counter("tianbao_ship_failed_total", "How often nothing could be written there.", float64(st.Failed))
	s.Counter("tianbao_ship_gaps_total", "How often the record was interrupted, so that moments cannot be put back.", float64(st.Gaps))
}

// shipFolder is a line of doctor about the folder of --ship.
func (x *examination) shipFolder(s seal.Pieces) {
	const what = "持续备份"
	a, err := ship.Open(x.ship, s)
	if err != nil {
		x.tell(bad, what, "不能读 %s，请检查文件夹和权限：%v", x.ship, err)
		return
	}
	windows := a.Windows()
	switch newest := a.Newest(); {
	case newest.IsZero():
		x.tell(bad, what, "%s 里没有可以恢复的内容，请检查服务是否带 --ship 运行、密钥文件是否是同一套", x.ship)
	case x.now().Sub(newest) > 5*time.Minute:
		x.tell(bad, what, "只到 %s，请检查服务是否带 --ship 运行、文件夹是否可写、磁盘是否已满", local(newest))
	default:
		x.tell(well, what, "可以恢复 %s 的任何一秒；是否真能恢复请用 tianbao drill 演练", toldWindows(windows))
	}
	if n := len(a.Gaps()) + len(a.Faults); n > 0 {
		x.tell(minded, what, "有 %d 处文件缺失或损坏，那里的时间不能恢复；请检查磁盘，并看谁能删改这个文件夹", n)
	}
}

// toldWindows tells the times that can be put back, whole seconds within them.
func toldWindows(list []ship.Window) string {
	var out []string
	for _, w := range list {
		from := w.From.Truncate(time.Second)
		if from.Before(w.From) && !from.Add(time.Second).After(w.To) {
			from = from.Add(time.Second)
		}
		out = append(out, local(from)+" 至 "+local(w.To))
	}
	if n := len(out); n > 8 {
		out = append([]string{fmt.Sprintf("（更早的 %d 段略）", n-8)}, out[n-8:]...)
	}
	if len(out) == 0 {
		return "（没有）"
	}
	return strings.Join(out, "；")
}
