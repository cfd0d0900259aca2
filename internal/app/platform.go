package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"tianbao/internal/clock"
	"tianbao/internal/provision"
	"tianbao/internal/store"
	"tianbao/internal/web"
)

var (
	_ provision.Store      = (*store.Store)(nil)
	_ web.PlatformAccounts = (*store.Store)(nil)
)

// platformOptions are what serve is told of the new platform.
type platformOptions struct {
	profile string
}

func (o *platformOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.profile, "platform-profile", "", "导出新平台账号用的字段对照文件（JSON）；默认用一体化平台的字段名")
}

// platform makes the service of the accounts of the new platform, and tells how they look
// as a file.
func (in *installation) platform(o *platformOptions, log *slog.Logger) (*provision.Service, *provision.Profile, error) {
	profile, err := provision.DefaultProfile()
	if err != nil {
		return nil, nil, err
	}
	if o.profile != "" {
		b, err := os.ReadFile(o.profile)
		if err == nil {
			profile, err = provision.ReadProfile(b)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("不能使用字段对照文件，请检查 --platform-profile：%w", err)
		}
	}
	var node [8]byte
	_, _ = rand.Read(node[:]) // never fails (crypto/rand)
	return &provision.Service{Store: in.store, IDs: in.ids, Now: clock.System, Node: hex.EncodeToString(node[:]), Log: log}, profile, nil
}

// platformEvery is how often the server looks for plans to carry out.
const platformEvery = 3 * time.Second

// keepProvisioning carries out approved plans while the server runs. The function it
// returns waits for the step in hand.
func keepProvisioning(ctx context.Context, s *provision.Service, log *slog.Logger) func() {
	return atOnceAndEvery(ctx, platformEvery, func() {
		n, err := s.Round(ctx)
		if n > 0 {
			log.Info("took steps of plans of accounts", "steps", n)
		}
		if err != nil && ctx.Err() == nil {
			log.Error("a plan of accounts does not go on", "err", err)
		}
	})
}
