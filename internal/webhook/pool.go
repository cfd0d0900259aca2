package webhook

import (
	"context"
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"tianbao"
	"tianbao/internal/outward"
)

// Pool calls the addresses that officers subscribe, under a guard, signed as [Standard]. It
// is safe for concurrent use; its fields do not change once it is in use.
type Pool struct {
	Guard outward.Guard
	// Roots verify the receivers' certificates; nil: those of the system.
	Roots *x509.CertPool
	Now   func() time.Time

	mu      sync.Mutex
	clients map[string]*Client // by address and secret
}

const (
	poolTimeout = 15 * time.Second
	// poolSize is how many addresses have connections that wait to be used again.
	poolSize = 64
)

// Timeout bounds one Send.
func (p *Pool) Timeout() time.Duration { return poolTimeout }

// Check says what is wrong with an address, for people.
func (p *Pool) Check(address string) error {
	u, err := outward.CheckURL(address)
	if err != nil {
		return tianbao.Invalid("bad_url", "地址要以 https:// 开头，不带用户名和密码，例如 https://example.gov.cn/events。")
	}
	host := u.Hostname()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if p.Guard.CheckHost(host) != nil {
		return innerAddress()
	}
	return nil
}

func innerAddress() error {
	return tianbao.Invalid("inner_url", "这个地址在内部网络，还没有放行；请运维人员用 --events-allow 放行后再试。")
}

// Send hands a body over and returns the status that was answered, 0: none. The error is nil
// where it was taken; see [Client.Post].
func (p *Pool) Send(ctx context.Context, address string, secret []byte, id string, body []byte) (int, error) {
	c, err := p.client(address, secret)
	if err != nil {
		return 0, err
	}
	status, err := c.Post(ctx, id, body)
	if errors.Is(err, outward.ErrInner) {
		return 0, innerAddress()
	}
	return status, err
}

func (p *Pool) client(address string, secret []byte) (*Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := address + "\n" + string(secret)
	if c := p.clients[key]; c != nil {
		return c, nil
	}
	if p.clients == nil || len(p.clients) >= poolSize {
		for _, c := range p.clients {
			c.Close()
		}
		p.clients = make(map[string]*Client)
	}
	c, err := New(Config{URL: address, Secret: secret, Alg: Standard, Roots: p.Roots, Now: p.Now, Guard: &p.Guard, Timeout: poolTimeout})
	if err == nil {
		p.clients[key] = c
	}
	return c, err
}
