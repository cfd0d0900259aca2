package app

import (
	"flag"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"tianbao/internal/web"
)

// guard is what serve is told of the network around it (security.md 42, 46, 48).
type guard struct {
	proxies, admins, limits string
	header, read, write     time.Duration
}

func (g *guard) flags(fs *flag.FlagSet) {
	fs.StringVar(&g.proxies, "trusted-proxy", "", "可信网关的地址或网段，多个用逗号分开；只有它们的 X-Forwarded-For 才被采信")
	fs.StringVar(&g.admins, "admin-network", "", "管理网段，多个用逗号分开；给出后三类管理员账号只能从这里使用")
	fs.StringVar(&g.limits, "limits", "", "每分钟次数的限制，例如 import=10,search=600；没有写的用默认值")
	fs.DurationVar(&g.header, "header-timeout", 10*time.Second, "读完请求头的时限")
	fs.DurationVar(&g.read, "read-timeout", 2*time.Minute, "读完整个请求的时限，要够慢速线路上传 20 MB")
	fs.DurationVar(&g.write, "write-timeout", 5*time.Minute, "写完应答的时限")
}

// apply reads the flags into the configuration of the pages.
func (g *guard) apply(c *web.Config) (err error) {
	if g.header <= 0 || g.read <= 0 || g.write <= 0 {
		return fmt.Errorf("--header-timeout、--read-timeout 和 --write-timeout 要大于 0")
	}
	c.Patience = g.write * 9 / 10
	if c.Proxies, err = prefixes("--trusted-proxy", g.proxies); err != nil {
		return err
	}
	if c.AdminNets, err = prefixes("--admin-network", g.admins); err != nil {
		return err
	}
	if c.Limits, err = web.ParseLimits(g.limits); err != nil {
		return fmt.Errorf("--limits 无法识别，请写成 import=10,search=600 的样子（名称=每分钟次数）：%w", err)
	}
	return nil
}

// prefixes reads networks; an address alone is a network of one.
func prefixes(name, text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			a, aerr := netip.ParseAddr(part)
			if aerr != nil {
				return nil, fmt.Errorf("%s 中的 %q 不是地址或网段，请写成 10.1.0.0/16 或 10.1.2.3 的样子", name, part)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
