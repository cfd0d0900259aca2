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
	"time"

	"tianbao"
	"tianbao/docs"
	"tianbao/internal/clock"
	"tianbao/internal/db"
	"tianbao/internal/demo"
	"tianbao/internal/intake"
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
	platform        platformOptions
}

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
	fs.StringVar(&o.logFormat, "log", "text", "日志格式：text 或 json")
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	if fs.NArg() > 0 {
		_, _ = fmt.Fprintf(e.stderr, "不认识的参数 %q，选项见 tianbao serve -h。\n", fs.Arg(0))
		return exitUsage
	}
	o.set = fs
	if err := o.run(ctx, e); err != nil {
		return e.failed(err)
	}
	return exitOK
}

func (o *serveOptions) run(ctx context.Context, e env) error {
	if err := o.validate(); err != nil {
		return err
	}
	var h slog.Handler = slog.NewTextHandler(e.stderr, nil)
	if o.logFormat == "json" {
		h = slog.NewJSONHandler(e.stderr, nil)
	}
	log := slog.New(h)
	// Listen first: a port that is taken should not leave a half-made data folder.
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", o.addr)
	if err != nil {
		return fmt.Errorf("不能监听 %s，请检查端口是否已被占用，或用 --addr 换一个地址：%w", o.addr, err)
	}
	defer ln.Close()
	in, err := o.open(ctx, log)
	if err != nil {
		return err
	}
	defer in.close(log)
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
	if err := o.recordStart(ctx, in, log); err != nil {
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
	srv, err := web.New(cfg)
	if err != nil {
		return err
	}
	if err := o.announce(ctx, e, in, ln.Addr().String(), cfg.Demo); err != nil {
		return err
	}
	if err := in.register.refresh(ctx, in.store); err != nil { // the demonstration's units came after opening
		return err
	}
	defer in.register.keepFresh(ctx, in.store, log)()
	defer in.keepSigned(ctx, log)()
	defer in.sweep(ctx, log)()
	defer in.followKeys(ctx, log)()
	defer in.disableDormant(ctx, log)()
	defer in.keepRetention(ctx, o.keep, log)()
	defer in.keepBackups(ctx, o.backups, o.backupKeep, log)()
	defer keepReminding(ctx, cfg.Reminders, log)()
	if o.inbox.used() {
		wait, err := o.inbox.keepPost(ctx, cfg.Post, in.db.Kind() == db.SQLite, log)
		if err != nil {
			return err
		}
		defer wait()
	}
	defer keepProvisioning(ctx, cfg.Platform, log)()
	if o.intake != "" {
		defer in.watch(ctx, o.intake, log)() // the database closes after the last file
	}
	return o.listen(ctx, srv, ln, log)
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
	if o.keep < 0 {
		return errors.New("--keep-months 不能是负数")
	}
	if o.demo {
		host, _, err := net.SplitHostPort(o.addr)
		ip := net.ParseIP(host)
		if err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return errors.New("演示账号的密码是公开的，带 --demo 时只能监听本机地址，例如 --addr 127.0.0.1:8080")
		}
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
	cfg.PlatformAccounts, cfg.AccountPages = in.store, in.store
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

// listen serves until the context ends, then lets requests in flight finish.
func (o *serveOptions) listen(ctx context.Context, srv *web.Server, ln net.Listener, log *slog.Logger) error {
	hs := &http.Server{
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
			return err
		}
		hs.TLSConfig = cert.config()
	}
	failed := make(chan error, 1)
	go func() {
		if hs.TLSConfig != nil {
			failed <- hs.ServeTLS(ln, "", "")
		} else {
			failed <- hs.Serve(ln)
		}
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("服务停止了：%w", err)
	case <-ctx.Done():
	}
	log.Info("stopping")
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if err := hs.Shutdown(stop); err != nil {
		return fmt.Errorf("停止时还有请求没有完成：%w", err)
	}
	return nil
}
