package load

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/form"
	"tianbao/internal/sheet"
)

// Opener opens the installation in a data folder, and in a database of PostgreSQL where one
// is named, to make a world in it.
type Opener func(ctx context.Context, data, db string, fn func(World) error) error

// options are the flags.
type options struct {
	province Province
	open     Opener
	data     string
	db       string
	program  string
	peer     string
	url      string
	json     string
	args     string // more options of the server
	scale    float64
	length   time.Duration
	clients  int
	rows     int
	times    float64
	only     string
	out, err io.Writer
}

// Run carries out the command line of tianbao-load and returns its exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer, open Opener) int {
	kinds := []string{"world", "submit", "evening", "overload", "peer"}
	if len(args) == 0 || !slices.Contains(kinds, args[0]) {
		_, _ = fmt.Fprintln(stderr, "用法：tianbao-load world|submit|evening|overload|peer [选项]，选项见 tianbao-load evening -h。")
		return 2
	}
	o := options{open: open, out: stdout, err: stderr}
	fs := flag.NewFlagSet("tianbao-load "+args[0], flag.ContinueOnError)
	fs.SetOutput(stderr)
	o.flags(fs)
	if err := fs.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil || fs.NArg() > 0 {
		_, _ = fmt.Fprintf(stderr, "选项不对，请看 tianbao-load %s -h。\n", args[0])
		return 2
	}
	if err := o.run(ctx, args[0]); err != nil {
		_, _ = fmt.Fprintln(stderr, "出错了：", err)
		return 1
	}
	return 0
}

func (o *options) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.data, "data", "", "压测数据的目录；默认在当前目录下建一个临时的，测完删除。千万不要用正式数据的目录")
	fs.StringVar(&o.db, "db", "", "压测数据的数据库（postgres://…），要是空的；不写就是目录里的 SQLite")
	fs.StringVar(&o.program, "program", "bin/tianbao", "要测的程序")
	fs.StringVar(&o.peer, "peer", "bin/peer", "peer：对照的 PocketBase 程序（make bench-peer 会编译）")
	p := &o.province
	fs.Uint64Var(&p.Seed, "seed", 1, "虚构数据的种子")
	fs.IntVar(&p.Units, "units", 40_000, "虚构单位数")
	fs.IntVar(&p.Accounts, "accounts", 256, "多少个主管部门有账号，每个部门 100 个单位；0 为全部")
	fs.IntVar(&p.Rows, "stored", 100_000, "事先存好的行数")
	fs.IntVar(&p.PerUnit, "per-unit", 25, "事先存好的行，每个单位几行")
	fs.IntVar(&p.Old, "old", 20_000, "原系统名单的行数，0 为没有名单")
	fs.StringVar(&p.Password, "password", "Load-2022-tianbao", "虚构账号的密码")
	fs.StringVar(&o.url, "url", "", "已经在运行的服务器（http://主机:端口），其数据要先用 tianbao-load world 建好；有几台的用逗号分开，轮流访问；不写就自己启动一个")
	fs.StringVar(&o.json, "json", "", "把结果另存为 JSON 文件")
	fs.StringVar(&o.args, "serve", "", "自己启动的服务器的其他选项，用空格分开")
	fs.Float64Var(&o.scale, "scale", 1, "evening：多大规模，1 为 10 分钟 20 000 次提交")
	fs.DurationVar(&o.length, "length", 10*time.Second, "submit 和 overload：每段多长")
	fs.IntVar(&o.clients, "clients", 16, "submit 和 overload：多少个客户端")
	fs.IntVar(&o.rows, "rows", 10, "submit 和 overload：每次提交几行")
	fs.StringVar(&o.only, "only", "", "peer：只测一部分，writes、reads 或 rest（启动、内存和程序大小）")
	fs.Float64Var(&o.times, "times", 10, "overload：几倍于容量")
}

func (o *options) run(ctx context.Context, kind string) error {
	if o.province.Units < 1 || o.province.Units > 200_000 || o.clients < 1 || o.rows < 1 || o.scale <= 0 || o.length <= 0 {
		return errors.New("--units 要在 1 和 200000 之间，--clients、--rows、--scale 和 --length 要大于 0")
	}
	if o.data == "" {
		if kind == "world" {
			return errors.New("请用 --data 指定一个新的数据目录")
		}
		dir, err := os.MkdirTemp(".", "tianbao-bench-") // on the disk that is asked about, not in /tmp, which may be memory
		if err != nil {
			return fmt.Errorf("不能建立临时目录，请换一个可写的目录运行：%w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		o.data = dir
	}
	if o.url == "" {
		begin := time.Now()
		if err := o.makeWorld(ctx); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(o.err, "数据已就绪：%d 个单位，%d 行，用时 %s\n", o.province.Units, o.province.Rows, time.Since(begin).Round(time.Second/10))
	}
	if kind == "world" {
		return nil
	}
	server, stopOurs := Server{}, func() {}
	if o.url == "" {
		stop, s, _, err := o.serve(ctx)
		if err != nil {
			return err
		}
		defer stop()
		server, stopOurs = s, stop
	} else {
		var err error
		if server, err = serversOf(o.url); err != nil {
			return err
		}
	}
	clerks := 0
	if kind != "evening" {
		clerks = 64
	}
	crowd, err := o.province.Gather(ctx, server, clerks)
	if err != nil {
		return err
	}
	defer crowd.Close()
	var res *Result
	switch kind {
	case "submit":
		res, err = o.submits(ctx, crowd)
	case "evening":
		res, err = o.evening(ctx, crowd)
	case "peer":
		res, err = o.beside(ctx, crowd, stopOurs)
	default:
		res, err = o.overload(ctx, crowd)
	}
	if err != nil {
		return err
	}
	return o.tell(res)
}

// serversOf reads the addresses of servers of one installation.
func serversOf(text string) (Server, error) {
	var addrs []string
	for one := range strings.SplitSeq(text, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Scheme != "http" || u.Port() == "" {
			return Server{}, errors.New("--url 要写成 http://主机:端口 的样子，有几台的用逗号分开")
		}
		addrs = append(addrs, u.Host)
	}
	return Server{Addr: addrs[0], Others: addrs[1:]}, nil
}

// tell writes the results.
func (o *options) tell(res *Result) error {
	if err := res.Table(o.out); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	if o.json == "" {
		return nil
	}
	var b bytes.Buffer
	if err := res.JSON(&b); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	if err := os.WriteFile(o.json, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("不能写 %s：%w", o.json, err)
	}
	return nil
}

// makeWorld makes the province in the data folder, or finds it there.
func (o *options) makeWorld(ctx context.Context) error {
	err := o.open(ctx, o.data, o.db, func(w World) error {
		w.Tell = func(rows int) { _, _ = fmt.Fprintf(o.err, "已存入 %d 行\n", rows) }
		return o.province.Make(ctx, w)
	})
	if errors.Is(err, ErrNotEmpty) {
		return errors.New("这个数据目录里已经有采集，不能用来压测，请另指定一个新的目录")
	}
	return err
}

// serve starts the server as a process of its own, on a free port of this machine.
func (o *options) serve(ctx context.Context) (stop func(), s Server, took time.Duration, err error) {
	program, err := filepath.Abs(o.program)
	if err != nil {
		return nil, s, 0, fmt.Errorf("find the program: %w", err)
	}
	if s.Addr, err = freeAddr(ctx); err != nil {
		return nil, s, 0, err
	}
	args := []string{"serve", "--data", o.data, "--addr", s.Addr, "--limits", "signin=1000000,search=1000000,import=1000000"}
	if o.db != "" {
		args = append(args, "--db", o.db)
	}
	stop, s.PID, took, err = startProgram(ctx, filepath.Join(o.data, "bench.log"), s.Addr, "/healthz", program, append(args, strings.Fields(o.args)...)...)
	return stop, s, took, err
}

// freeAddr returns an address of this machine that nobody listens on.
func freeAddr(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port: %w", err)
	}
	if err := ln.Close(); err != nil {
		return "", fmt.Errorf("find a port: %w", err)
	}
	return ln.Addr().String(), nil
}

// startProgram starts a server and waits until it answers; took is how long that was.
func startProgram(ctx context.Context, logFile, addr, health, program string, args ...string) (stop func(), pid int, took time.Duration, err error) {
	log, err := os.Create(filepath.Clean(logFile))
	if err != nil {
		return nil, 0, 0, fmt.Errorf("write the server's log: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, args...) //#nosec G204 -- named by who runs this
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, 0, 0, errors.Join(fmt.Errorf("start %s: %w", program, err), log.Close())
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		_ = log.Close()
	}
	if err := Await(ctx, addr, health, time.Minute); err != nil {
		stop()
		return nil, 0, 0, fmt.Errorf("服务器没有起来，日志在 %s：%w", log.Name(), err)
	}
	return stop, cmd.Process.Pid, time.Since(begin), nil
}

// submits measures submits of so many clients, who wait for their answers.
func (o *options) submits(ctx context.Context, crowd *Crowd) (*Result, error) {
	subs, err := crowd.Submitters(ctx, o.clients, 200, o.rows)
	if err != nil {
		return nil, err
	}
	defer subs.Close()
	Closed(ctx, o.clients, o.length/5, subs.Submit) // warm
	before := UsageOf(crowd.Server.PID)
	slice := Closed(ctx, o.clients, o.length, subs.Submit)
	after := UsageOf(crowd.Server.PID)
	line := OfSlice(fmt.Sprintf("%d rows, %d clients", o.rows, o.clients), slice, after.CPU-before.CPU)
	written := Line{Name: "KB written a submit", Goal: "—", Figure: fmt.Sprintf("%.1f", float64(after.Written-before.Written)/1024/float64(max(line.Count, 1)))}
	yes := true
	written.Reached = &yes
	return &Result{Title: "Submits, closed loop", Lines: []Line{line, written}}, nil
}

// evening plays the deadline evening.
func (o *options) evening(ctx context.Context, crowd *Crowd) (*Result, error) {
	forms, err := form.Builtin()
	if err != nil {
		return nil, fmt.Errorf("read the forms: %w", err)
	}
	n := Night{
		Visits: int(20_000 * o.scale), Length: time.Duration(float64(10*time.Minute) * o.scale), Shape: Evening,
		Think: 2 * time.Second, Imports: .02, Look: 2 * time.Second, Book: BookOf(forms.Latest("asset-role")),
	}
	_, _ = fmt.Fprintf(o.err, "%d 个单位在 %s 内填报\n", n.Visits, n.Length)
	before, begin := UsageOf(crowd.Server.PID), time.Now()
	acts := crowd.Evening(ctx, n)
	length := time.Since(begin)
	after := UsageOf(crowd.Server.PID)
	failed, shed := acts.Failures()
	if err := acts.FirstFailure.Load(); err != nil {
		_, _ = fmt.Fprintln(o.err, "第一个失败：", *err)
	}
	p99, worst := acts.Submit.Hist.Quantile(.99), acts.Progress.Hist.Max()
	res := &Result{Title: fmt.Sprintf("Deadline evening, %d visits in %s", n.Visits, n.Length), Lines: acts.Lines(length)}
	late := Line{Name: "(generator late)", Count: acts.Late.Count()}
	late.P50, late.P99, late.Max = millis(acts.Late.Quantile(.5)), millis(acts.Late.Quantile(.99)), millis(acts.Late.Max())
	res.Lines = append(res.Lines, late,
		Held("submit, p99", "< 250 ms", fmt.Sprintf("%.1f ms", millis(p99)), p99 < 250*time.Millisecond),
		Held("progress page, worst", "< 200 ms", fmt.Sprintf("%.1f ms", millis(worst)), worst < 200*time.Millisecond),
		Held("errors", "0", fmt.Sprintf("%d failed, %d shed", failed, shed), failed+shed == 0),
		Held("submits", fmt.Sprint(n.Visits), fmt.Sprint(acts.Submit.Hist.Count()+acts.Import.Hist.Count()), acts.Submit.Hist.Count()+acts.Import.Hist.Count() == uint64(n.Visits)), //nolint:gosec // a count
	)
	if n := crowd.Repeated.Load(); n > 0 {
		res.Lines = append(res.Lines, Held("sent again to another server", "—", fmt.Sprint(n), true))
	}
	if after.Readable {
		res.Lines = append(res.Lines, Held("server", "—", fmt.Sprintf("%.0f %% of a processor, %d MB at most", 100*(after.CPU-before.CPU).Seconds()/length.Seconds(), after.Peak>>20), true))
	}
	return res, nil
}

// overload measures the capacity, then sends many times as much.
func (o *options) overload(ctx context.Context, crowd *Crowd) (*Result, error) {
	subs, err := crowd.Submitters(ctx, o.clients, 200, o.rows)
	if err != nil {
		return nil, err
	}
	defer subs.Close()
	Closed(ctx, o.clients, o.length/5, subs.Submit) // warm
	calm := Closed(ctx, o.clients, o.length, subs.Submit)
	t, took := crowd.Flooded(ctx, Flood{Rate: o.times * calm.Rate(), Length: o.length, Rows: o.rows})
	good, p99 := float64(t.Hist.Count())/took.Seconds()/calm.Rate(), t.Hist.Quantile(.99)
	return &Result{Title: fmt.Sprintf("Overload, %g times the capacity", o.times), Lines: []Line{
		OfSlice(fmt.Sprintf("capacity, %d clients", o.clients), calm, 0),
		OfTally("overload", t, took),
		Held("goodput", "≥ 90 %", fmt.Sprintf("%.0f %%", 100*good), good >= .9),
		Held("admitted, p99", "< 1000 ms", fmt.Sprintf("%.0f ms", millis(p99)), p99 < time.Second),
		Held("failed otherwise", "0", fmt.Sprint(t.Failed.Load()), t.Failed.Load() == 0),
	}}, nil
}

// bookOf makes workbooks as somebody brings them.
func BookOf(f *tianbao.Form) func(rows []Row) ([]byte, error) {
	return func(rows []Row) ([]byte, error) {
		var b bytes.Buffer
		err := sheet.Write(&b, f, func(yield func(tianbao.Row, error) bool) {
			for i := range rows {
				row := tianbao.Row{Seq: i + 1, Values: make(tianbao.Values, len(f.Fields))}
				for k, key := range Fields() {
					if at := f.Index(key); at >= 0 {
						row.Values[at] = rows[i].Cells[k]
					}
				}
				if !yield(row, nil) {
					return
				}
			}
		}, sheet.WriteOptions{Created: clock.System()})
		return b.Bytes(), err
	}
}
