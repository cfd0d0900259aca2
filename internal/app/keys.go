package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/seal"
)

// retireAfter is how old the newest key must be before an older one may go: by then
// every running server has seen it, and nothing is under way that an older one sealed.
const retireAfter = 10 * time.Minute

// keys is `tianbao keys status|rotate|retire`, for who has the machine and its keys.
func keys(ctx context.Context, e env, args []string) int {
	const usage = "用法：tianbao keys status|rotate|retire [选项]"
	if len(args) == 0 {
		_, _ = fmt.Fprintln(e.stderr, usage)
		return exitUsage
	}
	var p place
	var id uint
	var kept string
	fs := e.flags("keys " + args[0])
	p.flags(fs)
	var act func(in *installation) error
	switch args[0] {
	case "status":
		act = func(in *installation) error { return keysStatus(ctx, e, in) }
	case "rotate":
		act = func(in *installation) error { return keysRotate(ctx, e, in, &p) }
	case "retire":
		fs.UintVar(&id, "key", 0, "要停用的密钥编号，见 tianbao keys status")
		fs.StringVar(&kept, "o", "", "把停用前的密钥留存到这个新文件，打开以前的备份时要用")
		act = func(in *installation) error { return keysRetire(ctx, e, in, &p, uint32(id), kept, clock.System()) }
	default:
		_, _ = fmt.Fprintln(e.stderr, usage)
		return exitUsage
	}
	if err := e.parse(fs, args[1:]); err != nil {
		return e.failed(err)
	}
	return e.within(ctx, &p, func(in *installation) (int, error) { return exitOK, act(in) })
}

func keysStatus(ctx context.Context, e env, in *installation) error {
	n, err := in.store.SealedBy(ctx)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("密钥\t算法\t建立时间\t加密的内容\n")
	for _, k := range in.keys.Ring().Keys() {
		made, note := "安装时", ""
		if !k.Made.IsZero() {
			made = k.Made.Format("2006-01-02 15:04:05")
		}
		switch {
		case k.Newest:
			note = "（使用中）"
		case n[k.ID] == 0:
			note = "（可以停用）"
		}
		fmt.Fprintf(&b, "%d\t%s\t%s\t%d 项%s\n", k.ID, k.Alg, made, n[k.ID], note)
		delete(n, k.ID)
	}
	for id, count := range n {
		fmt.Fprintf(&b, "%d\t不在密钥文件里\t\t%d 项（打不开，请放回留存的密钥文件）\n", id, count)
	}
	_, err = e.stdout.Write([]byte(b.String()))
	return err
}

// keysRotate adds a key to the file. The trail is told first, so that no key comes
// without its record; that the file could not be written is told too.
func keysRotate(ctx context.Context, e env, in *installation, p *place) error {
	alg, err := seal.ParseAlg(p.alg)
	if err != nil {
		return err
	}
	event := tianbao.Event{At: clock.System(), What: "keys.rotate", Detail: fmt.Sprintf("after=%d alg=%s", in.keys.Ring().KeyID(), alg)}
	if err := in.store.Record(ctx, event); err != nil {
		return err
	}
	ring, err := seal.Rotate(p.keyFile, alg, clock.System())
	if err != nil {
		event.At, event.Result = clock.System(), tianbao.ResultFailed
		return errors.Join(err, in.store.Record(ctx, event))
	}
	if _, err := in.keys.Refresh(); err != nil {
		return err
	}
	if err := in.store.NoteKey(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(e.stdout, "已启用第 %d 号密钥。请立即备份密钥文件 %s：新保存的内容只有它打得开。\n正在运行的服务几秒内改用新密钥，并在后台重新加密已存的内容；没有服务在运行时，下次启动再做。进度见 tianbao keys status。\n", ring.KeyID(), p.keyFile)
	return nil
}

func keysRetire(ctx context.Context, e env, in *installation, p *place, id uint32, kept string, now time.Time) error {
	if id == 0 || kept == "" {
		return errors.New("请用 --key 给出要停用的密钥编号，用 -o 给出留存旧密钥的新文件")
	}
	for _, k := range in.keys.Ring().Keys() {
		if k.Newest && now.Sub(k.Made) < retireAfter {
			return fmt.Errorf("新密钥启用还不到 %d 分钟，可能还有内容正用旧密钥保存，请稍后再停用", int(retireAfter.Minutes()))
		}
	}
	n, err := in.store.SealedBy(ctx)
	if err != nil {
		return err
	}
	if n[id] > 0 {
		return fmt.Errorf("第 %d 号密钥还加密着 %d 项内容，不能停用；请让服务运行到重新加密完成，进度见 tianbao keys status", id, n[id])
	}
	event := tianbao.Event{At: now, What: "keys.retire", Detail: fmt.Sprintf("key=%d", id)}
	if err := in.store.Record(ctx, event); err != nil {
		return err
	}
	if _, err := seal.Retire(p.keyFile, id, kept); err != nil {
		event.Result = tianbao.ResultFailed
		return errors.Join(err, in.store.Record(ctx, event))
	}
	_, _ = fmt.Fprintf(e.stdout, "第 %d 号密钥已停用，原来的密钥留存在 %s；打开停用以前的数据库备份时要用它，请移到保险处。\n", id, kept)
	return nil
}
