package app

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"tianbao/internal/auth"
	"tianbao/internal/clientcert"
	"tianbao/internal/clock"
	"tianbao/internal/oidc"
	"tianbao/internal/web"
)

// ways is what serve is told of the ways to sign in beside passwords and codes: passkeys,
// the platform's own sign-in, certificates that a gateway shows.
type ways struct {
	publicURL                        string
	issuer, client, secretFile       string
	claim, factors, issuerCA         string
	certificateHeader, certificateCA string
}

func (y *ways) flags(fs *flag.FlagSet) {
	fs.StringVar(&y.publicURL, "public-url", "", "用户打开本系统的地址，例如 https://tb.example.gov.cn；通行密钥和统一平台登录都认它，只监听本机时默认为 http://localhost:端口")
	fs.StringVar(&y.issuer, "oidc-issuer", "", "统一平台（OpenID Connect）的地址；给出后登录页有“统一平台登录”")
	fs.StringVar(&y.client, "oidc-client-id", "", "本系统在统一平台登记的客户端标识")
	fs.StringVar(&y.secretFile, "oidc-secret-file", "", "存放客户端密钥的文件；公共客户端不需要")
	fs.StringVar(&y.claim, "oidc-claim", "sub", "认账号的声明：sub（只认绑定过的账号），或其值就是用户名的声明，例如 preferred_username（管理员账号仍然只认绑定）")
	fs.StringVar(&y.factors, "oidc-factor", "", "统一平台的 acr 或 amr 中表示已验证第二因素的值，多个用逗号分开；没有给出时第二因素在本系统验证")
	fs.StringVar(&y.issuerCA, "oidc-ca", "", "签发统一平台证书的 CA 文件（PEM）；默认用操作系统的")
	fs.StringVar(&y.certificateHeader, "client-cert-header", "", "可信网关转交客户端证书（USB 密钥）的请求头名称，值为按 URL 编码的 PEM；网关要先删掉来自客户端的同名请求头")
	fs.StringVar(&y.certificateCA, "client-cert-ca", "", "客户端证书必须由其中的 CA 签发（PEM，可以是 SM2）；默认由网关核对")
}

// apply reads the flags into the configuration. addr is where the server listens.
func (y *ways) apply(c *web.Config, addr net.Addr, log *slog.Logger) error {
	origin, err := y.origin(addr)
	if err != nil {
		return err
	}
	if y.publicURL != "" {
		c.PublicURL = origin
	}
	if origin != "" {
		if c.Auth.Passkeys, err = auth.NewPasskeys(origin); err != nil {
			c.Auth.Passkeys = nil
			log.Warn("passkeys are not in use: browsers take them only for https:// and the name of a host", "err", err)
		}
	}
	if err := y.platform(c, origin); err != nil {
		return err
	}
	return y.certificates(c)
}

// origin is the address under which people open the site: scheme, host and port.
func (y *ways) origin(addr net.Addr) (string, error) {
	if y.publicURL == "" {
		tcp, ok := addr.(*net.TCPAddr)
		if !ok || !tcp.IP.IsLoopback() {
			return "", nil
		}
		return fmt.Sprintf("http://localhost:%d", tcp.Port), nil
	}
	u, err := url.Parse(y.publicURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return "", errors.New("--public-url 请写成 https://tb.example.gov.cn 的样子，后面不带路径")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func (y *ways) platform(c *web.Config, origin string) error {
	if y.issuer == "" {
		if y.client != "" || y.secretFile != "" {
			return errors.New("给出了 --oidc-client-id 或 --oidc-secret-file，请同时用 --oidc-issuer 给出统一平台的地址")
		}
		return nil
	}
	if origin == "" {
		return errors.New("用统一平台登录时，请用 --public-url 给出用户打开本系统的地址")
	}
	cfg := oidc.Config{
		Issuer: y.issuer, ClientID: y.client, Redirect: origin + "/signin/oidc/return", PostLogout: origin + "/signin",
		Claim: y.claim, Now: clock.System,
	}
	for part := range strings.SplitSeq(y.factors, ",") {
		if part = strings.TrimSpace(part); part != "" {
			cfg.Factors = append(cfg.Factors, part)
		}
	}
	if y.secretFile != "" {
		b, err := os.ReadFile(y.secretFile)
		if err != nil {
			return fmt.Errorf("不能读取客户端密钥，请检查 --oidc-secret-file：%w", err)
		}
		cfg.Secret = strings.TrimSpace(string(b))
	}
	if y.issuerCA != "" {
		b, err := os.ReadFile(y.issuerCA)
		cfg.Roots = x509.NewCertPool()
		if err == nil && !cfg.Roots.AppendCertsFromPEM(b) {
			err = errors.New("no certificate in PEM")
		}
		if err != nil {
			return fmt.Errorf("不能读取 CA 文件，请检查 --oidc-ca：%w", err)
		}
	}
	var err error
	if c.OIDC, err = oidc.New(cfg); err != nil {
		return fmt.Errorf("统一平台的设置不对，请检查 --oidc-issuer（https 地址）和 --oidc-client-id：%w", err)
	}
	return nil
}

func (y *ways) certificates(c *web.Config) error {
	if y.certificateHeader == "" {
		if y.certificateCA != "" {
			return errors.New("给出了 --client-cert-ca，请同时用 --client-cert-header 给出请求头的名称")
		}
		return nil
	}
	if len(c.Proxies) == 0 {
		return errors.New("客户端证书只能由可信网关转交，请同时用 --trusted-proxy 给出网关的地址")
	}
	c.CertificateHeader = http.CanonicalHeaderKey(y.certificateHeader)
	c.Certificates = &clientcert.Checker{Now: clock.System}
	if y.certificateCA != "" {
		var err error
		if c.Certificates.Roots, err = clientcert.LoadRoots(y.certificateCA); err != nil {
			return fmt.Errorf("不能读取 CA 文件，请检查 --client-cert-ca：%w", err)
		}
	}
	return nil
}
