package app

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"tianbao/internal/auth"
)

// signinOptions are the flags about passwords and sessions.
type signinOptions struct {
	profile, list     string
	sessions          int
	dormant, codeDays int
}

// passwordFlags are those that every command needs which sets a password.
func (o *signinOptions) passwordFlags(fs *flag.FlagSet) {
	fs.StringVar(&o.profile, "password-profile", string(auth.ProfileDengbao), "密码规则：dengbao（等保：三种字符，90 天更换，不重复最近 5 个）或 asvs（至少 12 位，不限字符，不定期更换）")
	fs.StringVar(&o.list, "password-list", "", "已泄露密码的清单文件，一行一个，其中的密码不能用；有清单时 asvs 允许 8 位")
}

func (o *signinOptions) flags(fs *flag.FlagSet) {
	o.passwordFlags(fs)
	policy := auth.DefaultPolicy()
	const day = 24 * time.Hour
	fs.IntVar(&o.sessions, "max-sessions", policy.Sessions, "一个账号同时登录的最多处数，再登录时最早的一处退出；0 不限")
	fs.IntVar(&o.dormant, "dormant-days", int(policy.Dormant/day), "多少天不用的账号自动停用；0 不停用")
	fs.IntVar(&o.codeDays, "code-days", int(policy.CodeLife/day), "激活码的有效天数")
}

// apply writes the flags into the policy of the installation.
func (o *signinOptions) apply(p *auth.Policy) error {
	var err error
	if p.Profile, err = auth.ParseProfile(o.profile); err != nil {
		return err
	}
	if o.list != "" {
		if p.Breached, err = breached(o.list); err != nil {
			return err
		}
	}
	return nil
}

// applyAll is apply for serve.
func (o *signinOptions) applyAll(p *auth.Policy) error {
	if o.sessions < 0 || o.dormant < 0 || o.codeDays < 1 || o.codeDays > 366 {
		return fmt.Errorf("--max-sessions 和 --dormant-days 不能小于 0，--code-days 请在 1 到 366 之间")
	}
	const day = 24 * time.Hour
	p.Sessions, p.Dormant, p.CodeLife = o.sessions, time.Duration(o.dormant)*day, time.Duration(o.codeDays)*day
	return o.apply(p)
}

// breached reads a list of passwords. It keeps eight bytes of a digest of each, so that
// ten million take 80 MB; that two agree by chance costs somebody another password.
func breached(path string) (func(string) bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("不能读取密码清单，请检查 --password-list：%w", err)
	}
	defer f.Close()
	digest := func(s string) uint64 {
		sum := sha256.Sum256([]byte(s))
		return binary.BigEndian.Uint64(sum[:])
	}
	var known []uint64
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		if line := strings.TrimRight(sc.Text(), "\r"); line != "" {
			known = append(known, digest(line))
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("不能读取密码清单，请检查 --password-list：%w", err)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	return func(password string) bool {
		_, found := slices.BinarySearch(known, digest(password))
		return found
	}, nil
}

// dormantEvery is how often accounts are looked at that nobody uses.
const dormantEvery = 6 * time.Hour

// disableDormant disables accounts that nobody uses, at once and from time to time. The
// function it returns waits for the look in hand.
func (in *installation) disableDormant(ctx context.Context, log *slog.Logger) func() {
	return atOnceAndEvery(ctx, dormantEvery, func() {
		if !in.timeIsOver() {
			return
		}
		switch n, err := in.auth.DisableDormant(ctx); {
		case err != nil && ctx.Err() == nil:
			log.Error("accounts that nobody uses are not disabled", "err", err)
		case n > 0:
			log.Info("disabled accounts that nobody uses", "accounts", n)
		}
	})
}
