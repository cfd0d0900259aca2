package app

import (
	"context"
	"log/slog"
	"time"

	"tianbao/internal/letter"
	"tianbao/internal/post"
	"tianbao/internal/remind"
)

// reachIn is how long another machine may take to answer.
const reachIn = 15 * time.Second

// outside looks whether the machines that the settings name answer. Nothing is sent.
func (x *examination) outside(ctx context.Context) {
	if err := x.inbox.validate(&x.outgoing); err != nil {
		x.tell(bad, "收邮件", "%v", err)
	}
	senders, err := x.outgoing.senders()
	if err != nil {
		x.tell(bad, "发邮件、接口", "%v", err)
	}
	if c, ok := senders[remind.ChannelMail].(mailSender); ok {
		x.reach(ctx, "发邮件", x.mailServer, "请检查 --mail-server、用户名、密码和防火墙", c.Check)
	}
	if c, ok := senders[remind.ChannelHook].(hookSender); ok {
		// The address may bear a key, so it is not told.
		x.reach(ctx, "接口（webhook）", "", "请检查 --webhook-url、证书和防火墙", c.Check)
	}
	if x.inbox.server == "" {
		return
	}
	none := &post.Service{Digest: func(string, ...[]byte) string { return "" }, Store: noMail{}, Read: letter.Options{Limits: letter.DefaultLimits()}}
	m, err := x.inbox.open(none, func(context.Context, []byte, *post.Mark) error { return nil }, slog.New(slog.DiscardHandler))
	if err != nil {
		x.tell(bad, "收邮件", "%v", err)
		return
	}
	x.reach(ctx, "收邮件", x.inbox.server, "请检查 --inbox-server、用户名、密码（授权码）和防火墙", m.Check)
}

// noMail stands where a store is asked for and nothing is read.
type noMail struct{ post.Store }

func (x *examination) reach(ctx context.Context, what, where, todo string, check func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, reachIn)
	defer cancel()
	if err := check(ctx); err != nil {
		x.tell(bad, what, "%s 没有接受连接；%s：%v", where, todo, err)
		return
	}
	x.tell(well, what, "%s 接受连接", where)
}
