package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"tianbao/internal/clock"
	"tianbao/internal/mail"
	"tianbao/internal/remind"
	"tianbao/internal/store"
	"tianbao/internal/webhook"
)

var _ remind.Store = (*store.Store)(nil)

// outgoing is what serve is told of the ways out of the house: a mail server and a
// webhook. Without them reminders are messages on the page.
type outgoing struct {
	mailServer, mailSecurity, mailFrom, mailUser, mailPasswordFile, mailCA string
	hookURL, hookSecretFile, hookAlg, hookCA                               string
}

func (o *outgoing) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.mailServer, "mail-server", "", "发邮件的服务器（SMTP），主机:端口；给出后催报可以发邮件")
	fs.StringVar(&o.mailSecurity, "mail-security", string(mail.TLS), "邮件连接的加密：tls（一般是 465 端口）、starttls（一般是 587 端口）、plain（不加密，只能用于本机）")
	fs.StringVar(&o.mailFrom, "mail-from", "", "发件人地址")
	fs.StringVar(&o.mailUser, "mail-user", "", "登录邮件服务器的用户名；不需要登录的不写")
	fs.StringVar(&o.mailPasswordFile, "mail-password-file", "", "存放邮件密码的文件")
	fs.StringVar(&o.mailCA, "mail-ca", "", "签发邮件服务器证书的 CA 文件（PEM）；默认用操作系统的")
	fs.StringVar(&o.hookURL, "webhook-url", "", "短信和办公软件接口（webhook）的地址；给出后催报可以发往这个接口")
	fs.StringVar(&o.hookSecretFile, "webhook-secret-file", "", "存放接口签名密钥的文件，至少 16 个字符")
	fs.StringVar(&o.hookAlg, "webhook-alg", string(webhook.SHA256), "接口签名的算法：hmac-sha256 或 hmac-sm3")
	fs.StringVar(&o.hookCA, "webhook-ca", "", "签发接口证书的 CA 文件（PEM）；默认用操作系统的")
}

// senders makes the channels that were named.
func (o *outgoing) senders() (map[remind.Channel]remind.Sender, error) {
	out := make(map[remind.Channel]remind.Sender)
	if o.mailServer == "" && cmp.Or(o.mailFrom, o.mailUser, o.mailPasswordFile, o.mailCA) != "" {
		return nil, errors.New("给出了发邮件的其他选项，请同时用 --mail-server 给出邮件服务器")
	}
	if o.hookURL == "" && cmp.Or(o.hookSecretFile, o.hookCA) != "" {
		return nil, errors.New("给出了接口的其他选项，请同时用 --webhook-url 给出接口的地址")
	}
	if o.mailServer != "" {
		cfg := mail.Config{Server: o.mailServer, Security: mail.Security(o.mailSecurity), From: o.mailFrom, User: o.mailUser}
		var err error
		if o.mailPasswordFile != "" {
			if cfg.Password, err = readSecret(o.mailPasswordFile); err != nil {
				return nil, fmt.Errorf("不能读取邮件密码，请检查 --mail-password-file：%w", err)
			}
		}
		if cfg.Roots, err = readRoots(o.mailCA); err != nil {
			return nil, fmt.Errorf("不能读取 CA 文件，请检查 --mail-ca：%w", err)
		}
		c, err := mail.New(cfg)
		if err != nil {
			return nil, fmt.Errorf("邮件的设置不对，请检查 --mail-server（主机:端口）、--mail-security 和 --mail-from：%w", err)
		}
		out[remind.ChannelMail] = mailSender{c}
	}
	if o.hookURL != "" {
		secret, err := readSecret(o.hookSecretFile)
		if err != nil {
			return nil, fmt.Errorf("不能读取接口的签名密钥，请检查 --webhook-secret-file：%w", err)
		}
		cfg := webhook.Config{URL: o.hookURL, Secret: []byte(secret), Alg: webhook.Alg(o.hookAlg), Now: clock.System}
		if cfg.Roots, err = readRoots(o.hookCA); err != nil {
			return nil, fmt.Errorf("不能读取 CA 文件，请检查 --webhook-ca：%w", err)
		}
		c, err := webhook.New(cfg)
		if err != nil {
			return nil, fmt.Errorf("接口的设置不对，请检查 --webhook-url（https 地址）、--webhook-secret-file（至少 16 个字符）和 --webhook-alg：%w", err)
		}
		out[remind.ChannelHook] = hookSender{c}
	}
	return out, nil
}

func readSecret(file string) (string, error) {
	b, err := os.ReadFile(file)
	return strings.TrimSpace(string(b)), err
}

// readRoots reads certificates, nil for no file.
func readRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, errors.New("no certificate in PEM")
	}
	return pool, nil
}

// mailSender sends reminders by mail.
type mailSender struct{ *mail.Client }

// Send implements remind.Sender.
func (s mailSender) Send(ctx context.Context, m *remind.Message) error {
	subject := "催报："
	if m.Notice != 0 {
		subject = "通知："
	}
	return s.Client.Send(ctx, &mail.Message{ID: "remind-" + m.ID.String(), To: m.Mail, Subject: subject + m.Title, Text: m.Text + "\n", At: clock.System()})
}

// hookSender hands reminders to the webhook, with no more of a unit than it takes to send
// them on.
type hookSender struct{ *webhook.Client }

// hookBody is what the webhook gets.
type hookBody struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"`
	UnitCode string `json:"unit_code"`
	Unit     string `json:"unit"`
	Phone    string `json:"phone"`
	Text     string `json:"text"`
}

// Send implements remind.Sender.
func (s hookSender) Send(ctx context.Context, m *remind.Message) error {
	id := m.ID.String()
	return s.Client.Send(ctx, id, hookBody{ID: id, Kind: "remind", UnitCode: m.Unit.BudgetCode, Unit: m.Unit.Name, Phone: m.Phone, Text: m.Text})
}

// reminders makes the service that reminds.
func (in *installation) reminders(o *outgoing, log *slog.Logger) (*remind.Service, error) {
	senders, err := o.senders()
	if err != nil {
		return nil, err
	}
	var node [8]byte
	_, _ = rand.Read(node[:]) // never fails (crypto/rand)
	return &remind.Service{
		Store: in.store, IDs: in.ids, Now: clock.System, Senders: senders, Node: hex.EncodeToString(node[:]), Workers: 4, Log: log,
	}, nil
}

// roundEvery is how often the server looks whom to remind, deliverEvery how often it
// sends what waits.
const (
	roundEvery   = 5 * time.Minute
	deliverEvery = 5 * time.Second
)

// keepReminding starts rounds and delivers while the server runs. The function it returns
// waits for what is in hand.
func keepReminding(ctx context.Context, s *remind.Service, log *slog.Logger) func() {
	told := func(err error) {
		if err != nil && ctx.Err() == nil {
			log.Error("reminders do not go out", "err", err)
		}
	}
	rounds := atOnceAndEvery(ctx, roundEvery, func() {
		n, err := s.Round(ctx)
		if n > 0 {
			log.Info("reminded units", "units", n)
		}
		told(err)
	})
	deliveries := every(ctx, deliverEvery, func() {
		_, err := s.QueueCopies(ctx)
		told(err)
		_, err = s.Deliver(ctx)
		told(err)
	})
	return func() {
		rounds()
		deliveries()
	}
}
