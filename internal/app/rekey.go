package app

import (
	"context"
	"fmt"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/db"
	"tianbao/internal/store"
)

// tellEvery is how often the progress of a long command is told.
const tellEvery = 2 * time.Second

// rekey is `tianbao rekey`: another key, and everything sealed with it, in one command.
// It may be killed at any moment and run again: where an older key still seals something
// it goes on with that and makes no other key. It works beside running servers, which take
// the new key within seconds and help.
func rekey(ctx context.Context, e env, args []string) int {
	var p place
	fs := e.flags("rekey")
	p.flags(fs)
	alone := fs.Bool("alone", false, "用 PostgreSQL 时：只有一台服务器，或各台已经共用同一个密钥文件，换密钥后不必停下来等复制")
	if err := e.parse(fs, args); err != nil {
		return e.failed(err)
	}
	if fs.NArg() > 0 {
		_, _ = fmt.Fprintf(e.stderr, "不认识的参数 %q，选项见 tianbao rekey -h。\n", fs.Arg(0))
		return exitUsage
	}
	return e.within(ctx, &p, func(in *installation) (int, error) {
		left, err := in.sealedByOlder(ctx)
		if err != nil {
			return exitError, err
		}
		if left == 0 {
			if err := keysRotate(ctx, e, in, &p); err != nil {
				return exitError, err
			}
			if in.db.Kind() == db.Postgres && !*alone {
				_, _ = fmt.Fprintln(e.stdout, "请先把密钥文件复制到每一台服务器，再运行一次 tianbao rekey：它会接着重新加密，而还没有新密钥的服务器打不开新内容。只有一台服务器时加 --alone。")
				return exitOK, nil
			}
			if left, err = in.sealedByOlder(ctx); err != nil {
				return exitError, err
			}
		} else {
			_, _ = fmt.Fprintf(e.stdout, "接着上次：还有 %d 项由旧密钥加密。\n", left)
		}
		return in.resealTelling(ctx, e, left)
	})
}

// sealedByOlder counts the values that another key than the newest seals.
func (in *installation) sealedByOlder(ctx context.Context) (left int64, err error) {
	n, err := in.store.SealedBy(ctx)
	newest := in.keys.Ring().KeyID()
	for id, count := range n {
		if id != newest {
			left += count
		}
	}
	return left, err
}

// resealTelling makes passes until nothing is left, and tells how far it has come.
func (in *installation) resealTelling(ctx context.Context, e env, left int64) (int, error) {
	var done, failed int64
	told := time.Now() // when to tell, nothing else
	for {
		sum, err := in.store.ResealTelling(ctx, func(column string, sum store.Resealed) {
			if time.Since(told) >= tellEvery {
				told = time.Now()
				_, _ = fmt.Fprintf(e.stdout, "已重新加密 %d / %d 项，正在处理 %s\n", done+sum.Values, left, column)
			}
		})
		done += sum.Values
		failed = sum.Failed
		if err != nil {
			_, _ = fmt.Fprintf(e.stdout, "中断了：已重新加密 %d 项，再运行一次 tianbao rekey 就接着做。\n", done)
			return exitError, err
		}
		if sum.Values+sum.Lost == 0 {
			break
		}
	}
	newest := in.keys.Ring().KeyID()
	event := tianbao.Event{At: clock.System(), What: "keys.reseal", Detail: fmt.Sprintf("key=%d values=%d", newest, done)}
	if err := in.store.Record(ctx, event); err != nil {
		return exitError, err
	}
	if failed > 0 {
		_, _ = fmt.Fprintf(e.stdout, "重新加密了 %d 项，有 %d 项打不开，仍由旧密钥加密；请不要停用旧密钥，并运行 tianbao doctor 查看。\n", done, failed)
		return exitError, nil
	}
	_, _ = fmt.Fprintf(e.stdout, "完成：重新加密了 %d 项，都由第 %d 号密钥加密。\n请备份密钥文件；%d 分钟后可以停用旧密钥：tianbao keys retire --key 编号 -o 留存文件。\n", done, newest, int(retireAfter.Minutes()))
	return exitOK, nil
}
