package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"tianbao"
	"tianbao/docs"
	"tianbao/internal/clock"
	"tianbao/internal/daemon"
	"tianbao/internal/db"
	"tianbao/internal/demo"
	"tianbao/internal/intake"
	"tianbao/internal/remind"
	"tianbao/internal/web"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	place
	guard
	set             *flag.FlagSet // all settings, as they were given
	addr            string
	demo            bool
	tlsCert, tlsKey string
	behindTLS       bool
	logFormat       string
	intake          string
	reveals         int
	keep            int // months
	backups         string
	backupKeep      int // days
	signin          signinOptions
	ways            ways
	outgoing        outgoing
	inbox           inbox
	figures         telling
	drain           time.Duration
	memory          string
	ready           *readiness
	manager         daemon.Manager
	platform        platformOptions
	events          eventOptions
	ship            shipping
}

// slack is memory that a server holds and never touches, so that no machine has to give it.
// The collector looks through all memory when that has doubled: what a server holds is so
// little that it did so many times a second, which took an eighth of the time.
// It counts with GOMEMLIMIT, so who sets that goes without.
const slack = 32 << 20

// serve runs the server until the context ends.
func serve(ctx context.Context, e env, args []string) int {
	var o serveOptions
	fs := e.flags("serve")
	o.place.flags(fs)
	o.guard.flags(fs)
	o.signin.flags(fs)
	o.ways.flags(fs)
	o.outgoing.flags(fs)
	o.inbox.flags(fs)
	o.platform.flags(fs)
	o.events.flags(fs)
	o.ship.flags(fs)
	fs.StringVar(&o.addr, "addr", "127.0.0.1:8080", "监听地址")
	fs.BoolVar(&o.demo, "demo", false, "装入演示数据和演示账号（只能监听本机地址）")
	fs.StringVar(&o.tlsCert, "tls-cert", "", "TLS 证书文件（PEM）")
	fs.StringVar(&o.tlsKey, "tls-key", "", "TLS 私钥文件（PEM）")
	fs.BoolVar(&o.behindTLS, "behind-tls", false, "前面有终止 TLS 的网关")
	fs.StringVar(&o.intake, "intake", "", "收件文件夹：放进去的工作簿自动导入，旁边留下回执或批注副本")
	fs.IntVar(&o.reveals, "reveals", 30, "每个账号一小时内最多查看多少条完整的身份证号码和联系方式")
	fs.IntVar(&o.keep, "keep-months", 0, "采集截止满几个月自动清除其中的个人信息；0 为不自动清除。网页上给一次采集单独设定的，按设定")
	fs.StringVar(&o.backups, "backup-dir", "", "每日备份文件夹：每天 2 点后备份一次，文件已加密，请放在另一块磁盘上")
	fs.IntVar(&o.backupKeep, "backup-keep", 30, "每日备份保留多少天")
	fs.StringVar(&o.figures.addr, "metrics", "", "运行指标（Prometheus）的监听地址，例如 127.0.0.1:9090；只应让监控系统访问")
	fs.DurationVar(&o.drain, "drain", 0, "停止前先让 /readyz 报告不可用并照常服务多久，等前面的负载均衡把人引到别处；只有一台时不需要")
	fs.StringVar(&o.memory, "memory", "", "最多用多少内存，例如 1GiB；默认按容器或系统给的限制，没有限制时按机器内存的一半安排大文件")
	fs.StringVar(&o.logFormat, "log", "text", "日志格式：text 或 json")
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	if fs.NArg() > 0 {
		_, _ = fmt.Fprintf(e.stderr, "不认识的参数 %q，选项见 tianbao serve -h。\n", fs.Arg(0))
		return exitUsage
	}
	o.set = fs
	if err := o.validate(); err != nil {
		return e.failed(err)
	}
	var h slog.Handler = slog.NewTextHandler(e.stderr, nil)
	if o.logFormat == "json" {
		h = slog.NewJSONHandler(e.stderr, nil)
	}
	log := slog.New(h)
	switch err := o.run(ctx, e, log); {
	case err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled):
		// Whoever stops a server during its start has what was asked for; a step that the
		// end interrupted is no failure to tell the service manager of.
		log.Info("stopped during the start", "at", err)
	case err != nil:
		return e.failed(err)
	}
	return exitOK
}

func (o *serveOptions) run(ctx context.Context, e env, log *slog.Logger) error {
	if e.getenv("GOMEMLIMIT") == "" {
		defer runtime.KeepAlive(make([]byte, slack))
	}
	// Listen first: a port that is taken should not leave a half-made data folder.
	ln, err := o.listener(ctx, e)
	if err != nil {
		return err
	}
	defer ln.Close()
	if err := o.figures.listen(ctx, log); err != nil {
		return err
	}
	in, err := o.open(ctx, log)
	if err != nil {
		return err
	}
	defer in.close(log)
	endShipping, err := o.ship.begin(ctx, in, log)
	if err != nil {
		return err
	}
	defer endShipping()
	if err := o.signin.applyAll(&in.auth.Policy); err != nil {
		return err
	}
	in.auth.Policy.FactorOptional = o.demo // its administrators' passwords are public
	cfg, err := in.config(log, o)
	if err != nil {
		return err
	}
	if err := o.ways.apply(&cfg, ln.Addr(), log); err != nil {
		return err
	}
	if err := in.checkClock(ctx, log); err != nil { // before anything new is written
		return err
	}
	if o.demo {
		if cfg.Demo, err = demo.Seed(ctx, demo.World{
			Store: in.store, Auth: in.auth, Reports: in.reports, Org: in.org, Campaigns: in.campaigns,
			Forms: in.forms, Workbooks: workbooks{in}, Now: clock.System, Manual: cfg.Manual, Pictures: docs.Picture,
		}); err != nil {
			return err
		}
	}
	if err := in.ensurePurpose(ctx, log); err != nil {
		return err
	}
	if o.ready, err = newReadiness(ctx, in, &o.place); err != nil {
		return err
	}
	cfg.Checks = o.ready.checks
	if cfg.Memory, err = keepMemory(o.memory, e.getenv, log); err != nil {
		return err
	}
	if o.figures.reg != nil {
		cfg.Watch = o.figures.reg
	}
	srv, err := web.New(cfg)
	if err != nil {
		return err
	}
	if o.figures.reg != nil {
		g := &gauges{in: in, ready: o.ready, load: srv.Load, backups: o.backups, ship: &o.ship, data: o.ready.disk, now: clock.System}
		o.figures.reg.Add(g.gather)
	}
	defer o.figures.serve(srv.Handler(), log)()
	in.sweepAtStart(ctx, log)
	// Whoever waits for the server is answered from here on; what is not needed for an
	// answer comes after.
	hs, failed, err := o.answer(srv, ln, log)
	if err != nil {
		return err
	}
	defer hs.Close()
	if err := o.announce(ctx, e, in, ln.Addr().String(), cfg.Demo); err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	var unrecorded error
	recorded := start(func() {
		if err := o.recordStart(ctx, in, log); err != nil && ctx.Err() == nil {
			unrecorded = err // a server whose start cannot be recorded ends
			end()
		}
		if _, err := in.register.read(); err != nil && ctx.Err() == nil {
			log.Error("the register of codes was not read", "err", err)
		}
		giveBack(ctx)
	})
	defer in.register.keepFresh(ctx, log)()
	defer in.keepClock(ctx, log)()
	defer in.keepSigned(ctx, log)()
	defer in.sweep(ctx, log)()
	defer in.followKeys(ctx, log)()
	defer in.disableDormant(ctx, log)()
	defer in.keepRetention(ctx, o.keep, log)()
	defer in.keepBackups(ctx, o.backups, o.backupKeep, log)()
	defer keepReminding(ctx, cfg.Reminders, log)()
	defer keepDays(ctx, in.campaigns, log)()
	if o.inbox.used() {
		wait, err := o.inbox.keepPost(ctx, cfg.Post, in.db.Kind() == db.SQLite, log)
		if err != nil {
			end() // or what was started above would be waited for without end
			return err
		}
		defer wait()
	}
	alone := in.db.Kind() == db.SQLite
	defer keepProvisioning(ctx, cfg.Platform, alone, log)()
	defer keepSendingCodes(ctx, cfg.Codes, alone, log)()
	defer keepTelling(ctx, cfg.News, log)()
	if o.intake != "" {
		defer in.watch(ctx, o.intake, log)() // the database closes after the last file
	}
	defer o.tellAlive(ctx, e, in, log)()
	err = o.untilEnd(ctx, hs, failed, log)
	end()
	recorded()
	return errors.Join(unrecorded, err)
}

// watch takes workbooks from a folder while the server runs; the function it
// returns waits for the file in hand.
func (in *installation) watch(ctx context.Context, dir string, log *slog.Logger) func() {
	f := &intake.Folder{
		Dir: dir, Workbooks: folderBooks{workbooks{in}}, Catalog: in.store, Reports: in.reports,
		Log: log, Now: clock.System, Settle: 2 * time.Second, Every: time.Second,
	}
	return start(func() { f.Watch(ctx) })
}

func (o *serveOptions) validate() error {
	if o.intake != "" {
		if info, err := os.Stat(o.intake); err != nil || !info.IsDir() {
			return fmt.Errorf("收件文件夹 %s 不存在或不是文件夹，请先建立", o.intake)
		}
	}
	if err := o.inbox.validate(&o.outgoing); err != nil {
		return err
	}
	if err := o.validateTLS(); err != nil {
		return err
	}
	if err := o.guard.apply(new(web.Config)); err != nil {
		return err
	}
	if err := validateBackups(o.backups, o.data, o.backupKeep); err != nil {
		return err
	}
	if err := o.ship.validate(o.data, o.db); err != nil {
		return err
	}
	if _, err := saidMemory(o.memory); err != nil {
		return err
	}
	if o.drain < 0 || o.drain > 5*time.Minute {
		return errors.New("--drain 要在 0 到 5m 之间")
	}
	if o.keep < 0 {
		return errors.New("--keep-months 不能是负数")
	}
	if o.demo {
		if err := onLoopback(o.addr); err != nil {
			return err
		}
	}
	return nil
}

// onLoopback refuses an address for a demonstration that others can reach.
func onLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	if err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("演示账号的密码是公开的，带 --demo 时只能监听本机地址，例如 --addr 127.0.0.1:8080")
	}
	return nil
}

// config gathers what the pages stand on.
func (in *installation) config(log *slog.Logger, o *serveOptions) (web.Config, error) {
	manual, err := docs.Manual()
	if err != nil {
		return web.Config{}, err
	}
	bureau, err := docs.BureauManual()
	if err != nil {
		return web.Config{}, err
	}
	cfg := web.Config{
		BureauManual: bureau,
		Auth:         in.auth, Audit: in.audit, Reports: in.reports, Catalog: in.store, Org: in.org, Register: in.store, Campaigns: in.campaigns, Messages: in.messages, Compare: in.compare, Compared: in.store, Living: in.living, Forms: in.collected, Drafts: in.store, Workbooks: workbooks{in},
		Reveals: in.store, Purposes: in.store, Erasures: in.store, KeepMonths: keepMonths, RevealLimit: o.reveals,
		Mask:   func(name string, version int) (web.Masker, error) { return in.checker(name, version) },
		Schema: in.schema, FormBook: formBook{in.store},
		Manual: manual, Pictures: docs.Picture, Log: log, Now: clock.System,
		TLS: o.tlsCert != "" || o.behindTLS, Version: Version,
	}
	if cfg.Reminders, err = in.reminders(&o.outgoing, log); err != nil {
		return cfg, err
	}
	cfg.Post = in.posts(&o.inbox, &o.outgoing, cfg.Reminders, log)
	if cfg.Platform, cfg.Profile, err = in.platform(&o.platform, log); err != nil {
		return cfg, err
	}
	cfg.Codes = in.codes(cfg.Platform, cfg.Reminders.Senders[remind.ChannelHook], log)
	cfg.PlatformAccounts, cfg.AccountPages = in.store, in.store
	cfg.FeedStore = in.store
	if cfg.News, err = in.news(&o.events, log); err != nil {
		return cfg, err
	}
	err = o.guard.apply(&cfg)
	return cfg, err
}

// announce prints the address, and what is needed to get in for the first time.
func (o *serveOptions) announce(ctx context.Context, e env, in *installation, addr string, accounts []web.DemoAccount) error {
	scheme := "http"
	if o.tlsCert != "" {
		scheme = "https"
	}
	url := scheme + "://" + addr
	_, _ = fmt.Fprintf(e.stdout, "填报服务已启动：%s\n", url)
	if o.figures.ln != nil {
		_, _ = fmt.Fprintf(e.stdout, "运行指标：http://%s/metrics\n", o.figures.ln.Addr())
	}
	if len(accounts) > 0 {
		_, _ = fmt.Fprintln(e.stdout, "演示账号（数据均为虚构）：")
		for _, a := range accounts {
			_, _ = fmt.Fprintf(e.stdout, "  %-10s %-14s %s\n", a.Login, a.Password, a.What)
		}
		return nil
	}
	links, err := in.auth.SetupLinks(ctx)
	if err != nil || len(links) == 0 {
		return err
	}
	_, _ = fmt.Fprintln(e.stdout, "下列管理员还没有人担任。请把每个链接交给一个人，三个人互不兼任；链接只能用一次，24 小时内有效：")
	for _, office := range tianbao.Offices() {
		if token := links[office]; token != "" {
			_, _ = fmt.Fprintf(e.stdout, "  %s：%s/setup/%s\n", office.Title(), url, token)
		}
	}
	return nil
}

// answer begins to answer; failed tells when that has ended by itself.
func (o *serveOptions) answer(srv *web.Server, ln net.Listener, log *slog.Logger) (hs *http.Server, failed <-chan error, err error) {
	hs = &http.Server{
		Handler:           srv.Handler(),
		ReadHeaderTimeout: o.header,
		ReadTimeout:       o.read, // a 20 MB workbook over a slow line
		WriteTimeout:      o.write,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	hs.RegisterOnShutdown(srv.Close)
	if o.tlsCert != "" {
		cert, err := openCertificate(o.tlsCert, o.tlsKey, clock.System, log)
		if err != nil {
			return nil, nil, err
		}
		hs.TLSConfig = cert.config()
	}
	ended := make(chan error, 1)
	go func() {
		if hs.TLSConfig != nil {
			ended <- hs.ServeTLS(ln, "", "")
		} else {
			ended <- hs.Serve(ln)
		}
	}()
	return hs, ended, nil
}

// untilEnd waits until the context ends, then lets requests in flight finish.
func (o *serveOptions) untilEnd(ctx context.Context, hs *http.Server, failed <-chan error, log *slog.Logger) error {
	select {
	case err := <-failed:
		return fmt.Errorf("服务停止了：%w", err)
	case <-ctx.Done():
	}
	o.ready.stopping.Store(true) // from now on others are sent elsewhere
	log.Info("stopping", "drain", o.drain)
	if err := o.manager.Stopping(); err != nil {
		log.Warn("the service manager is not told", "err", err)
	}
	select {
	case err := <-failed:
		return fmt.Errorf("服务停止了：%w", err)
	case <-time.After(o.drain):
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if err := hs.Shutdown(stop); err != nil {
		return fmt.Errorf("停止时还有请求没有完成：%w", err)
	}
	return nil
}
