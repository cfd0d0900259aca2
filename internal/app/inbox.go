package app

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"os"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/intake"
	"tianbao/internal/letter"
	"tianbao/internal/mail"
	"tianbao/internal/mailbox"
	"tianbao/internal/post"
	"tianbao/internal/remind"
	"tianbao/internal/store"
)

var _ post.Store = (*store.Store)(nil)

// inbox is what serve is told of where reports come in by mail. Answers go out by the
// mail server of [outgoing].
type inbox struct {
	server, security, user, passwordFile, ca, mailbox, since, dir, trusted string
}

func (o *inbox) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.server, "inbox-server", "", "收填报邮件的服务器（IMAP），主机:端口；给出后单位可以用邮件报送，回信用 --mail-server 发出")
	fs.StringVar(&o.security, "inbox-security", string(mailbox.TLS), "收邮件连接的加密：tls（一般是 993 端口）、starttls（一般是 143 端口）、plain（不加密，只能用于本机）")
	fs.StringVar(&o.user, "inbox-user", "", "收件邮箱的用户名")
	fs.StringVar(&o.passwordFile, "inbox-password-file", "", "存放收件邮箱密码（或授权码）的文件")
	fs.StringVar(&o.ca, "inbox-ca", "", "签发收邮件服务器证书的 CA 文件（PEM）；默认用操作系统的")
	fs.StringVar(&o.mailbox, "inbox-mailbox", "INBOX", "邮箱中收哪个文件夹")
	fs.StringVar(&o.since, "inbox-since", "", "第一次收信时从哪一天的邮件收起，例如 2025-09-15；默认从当天起")
	fs.StringVar(&o.dir, "inbox-dir", "", "放填报邮件的文件夹：maildir，或放 .eml 文件的文件夹")
	fs.StringVar(&o.trusted, "inbox-trusted-host", "", "采信哪台邮件服务器写的 SPF、DKIM、DMARC 验证结果（Authentication-Results 开头的主机名）")
}

func (o *inbox) used() bool { return o.server != "" || o.dir != "" }

// validate refuses settings by which nothing could be received or answered.
func (o *inbox) validate(out *outgoing) error {
	if o.server == "" && cmp.Or(o.user, o.passwordFile, o.ca, o.since) != "" {
		return errors.New("给出了收邮件的其他选项，请同时用 --inbox-server 给出收邮件的服务器")
	}
	if o.used() && out.mailServer == "" {
		return errors.New("收填报邮件后要回信，请同时用 --mail-server 给出发邮件的服务器")
	}
	if o.dir != "" {
		if info, err := os.Stat(o.dir); err != nil || !info.IsDir() {
			return fmt.Errorf("邮件文件夹 %s 不存在或不是文件夹，请先建立", o.dir)
		}
	}
	if o.since != "" {
		if _, err := time.ParseInLocation(time.DateOnly, o.since, clock.Shanghai); err != nil {
			return errors.New("--inbox-since 请写成 2025-09-15 的样子")
		}
	}
	return nil
}

// posts makes the service that takes reports in by mail. Without a mail server it answers
// nobody, and without an inbox it gets nothing.
func (in *installation) posts(o *inbox, out *outgoing, reminders *remind.Service, log *slog.Logger) *post.Service {
	s := &post.Service{
		Store: in.store, IDs: in.ids, Now: clock.System, Digest: in.digest, Node: reminders.Node, Log: log,
		Codes: mailCodes{in},
		Door: &intake.Letters{
			Workbooks: folderBooks{workbooks{in}}, Catalog: in.store, Reports: in.reports, Now: clock.System,
			Mask: func(form string, version int) (func(int, string) string, error) {
				c, err := in.checker(form, version)
				if err != nil {
					return nil, err
				}
				return c.Mask, nil
			},
		},
		Read:   letter.Options{Limits: letter.DefaultLimits(), Trusted: o.trusted},
		Hourly: post.Hourly, Daily: post.Daily, Strangers: post.Strangers,
	}
	for _, own := range []string{out.mailFrom, o.user} {
		if a, err := netmail.ParseAddress(own); err == nil {
			s.Read.Own = append(s.Read.Own, a.Address)
		}
	}
	if c, ok := reminders.Senders[remind.ChannelMail].(mailSender); ok {
		s.Out = replySender(c)
	}
	return s
}

// mailCodes looks activation codes up for mails.
type mailCodes struct{ in *installation }

// CheckActivation implements post.Codes.
func (c mailCodes) CheckActivation(ctx context.Context, code, from string) (id, user tianbao.ID, unit tianbao.Unit, err error) {
	a, err := c.in.auth.CheckActivation(ctx, code, from)
	return a.ID, a.User, a.Unit, err
}

// replySender sends answers by mail.
type replySender struct{ *mail.Client }

// SendReply implements post.Outgoing. The id of the answer makes the Message-ID.
func (s replySender) SendReply(ctx context.Context, r *post.Reply) error {
	return s.Send(ctx, &mail.Message{
		ID: "post-" + r.ID.String(), To: r.Body.To, Subject: r.Body.Subject, Text: r.Body.Text, At: r.Body.At, Re: r.Body.Re,
		Name: r.Body.FileName, File: r.File,
	})
}

// judgeEvery is how often the server looks for mails to be judged and answers to go out.
const judgeEvery = time.Second

// keepPost fetches, judges and answers mails while the server runs. The function it returns
// waits for what is in hand. alone: no other server is on this database.
func (o *inbox) keepPost(ctx context.Context, s *post.Service, alone bool, log *slog.Logger) (func(), error) {
	if alone {
		// What the server had in hand when it died goes on at once.
		if err := s.Store.FreeMail(ctx, clock.System()); err != nil {
			return nil, err
		}
	}
	var waits []func()
	take := func(ctx context.Context, raw []byte, mark *post.Mark) error {
		_, err := s.Take(ctx, raw, mark)
		return err
	}
	if o.dir != "" {
		f := &mailbox.Folder{
			Dir: o.dir, Most: s.Read.Limits.Bytes, Take: take, Now: clock.System, Settle: 2 * time.Second, Every: 2 * time.Second, Log: log,
		}
		waits = append(waits, start(func() { f.Watch(ctx) }))
	}
	if o.server != "" {
		m, err := o.open(s, take, log)
		if err != nil {
			return nil, err
		}
		waits = append(waits, start(func() { m.Watch(ctx) }))
	}
	told := func(what string, n int, err error) {
		if n > 0 {
			log.Info(what, "mails", n)
		}
		if err != nil && ctx.Err() == nil {
			log.Error("mails are not "+what, "err", err)
		}
	}
	waits = append(
		waits,
		every(ctx, judgeEvery, func() {
			n, err := s.Judge(ctx)
			told("judged", n, err)
		}),
		every(ctx, judgeEvery, func() {
			n, err := s.Deliver(ctx)
			told("answered", n, err)
		}),
		atOnceAndEvery(ctx, time.Hour, func() {
			n, err := s.Expire(ctx)
			told("expired", n, err)
		}),
	)
	return func() {
		for _, wait := range waits {
			wait()
		}
	}, nil
}

// open makes the IMAP mailbox.
func (o *inbox) open(s *post.Service, take mailbox.Taker, log *slog.Logger) (*mailbox.Mailbox, error) {
	cfg := mailbox.Config{
		Server: o.server, Security: mailbox.Security(o.security), User: o.user, Mailbox: o.mailbox, Version: Version,
		Name: s.Digest("mail box", []byte(o.server), []byte(o.user), []byte(o.mailbox)),
		Most: s.Read.Limits.Bytes, Mark: s.Store.MailMark, Take: take, Now: clock.System, Log: log,
	}
	if o.since != "" {
		cfg.Since, _ = time.ParseInLocation(time.DateOnly, o.since, clock.Shanghai) // validate read it
	}
	var err error
	if o.passwordFile != "" {
		if cfg.Password, err = readSecret(o.passwordFile); err != nil {
			return nil, fmt.Errorf("不能读取收件邮箱的密码，请检查 --inbox-password-file：%w", err)
		}
	}
	if cfg.Roots, err = readRoots(o.ca); err != nil {
		return nil, fmt.Errorf("不能读取 CA 文件，请检查 --inbox-ca：%w", err)
	}
	m, err := mailbox.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("收邮件的设置不对，请检查 --inbox-server（主机:端口）、--inbox-security 和 --inbox-user：%w", err)
	}
	return m, nil
}
