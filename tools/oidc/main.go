// Command oidc is an OpenID Connect provider for the tests of the product's sign-in: the
// one of github.com/zitadel/oidc, which is written apart from the library that the product
// uses, with two people who sign in by a form.
//
// It listens on the loopback and prints its issuer. Two addresses are for the test that
// started it: POST /test/client registers where the product lives, and POST /test/next
// says how the next token is to be bent before it is signed, as a broken or hostile
// provider might.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "oidc:", err)
		os.Exit(1)
	}
}

func run() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	issuer := fmt.Sprintf("http://localhost:%d", ln.Addr().(*net.TCPAddr).Port)
	store := storage.NewStorage(people{})
	p := &provider{store: store, site: exampleop.SetupServer(issuer, store, slog.New(slog.DiscardHandler), false)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /test/client", p.client)
	mux.HandleFunc("POST /test/next", p.bend)
	mux.HandleFunc("POST /oauth/token", p.token)
	mux.Handle("/", p.site)
	fmt.Println(issuer)
	hs := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return hs.Serve(ln)
}

// people are those who can sign in; the password is the same.
type people struct{}

// GetUserByID implements storage.UserStore.
func (people) GetUserByID(id string) *storage.User {
	for _, name := range []string{"one", "two"} {
		if id == "sub-"+name {
			return &storage.User{ID: id, Username: name, Password: "verysecure", FirstName: name, LastName: "Example"}
		}
	}
	return nil
}

// GetUserByUsername implements storage.UserStore.
func (p people) GetUserByUsername(name string) *storage.User { return p.GetUserByID("sub-" + name) }

// ExampleClientID implements storage.UserStore.
func (people) ExampleClientID() string { return storage.ServiceUserID }

// next is how the next token is bent.
type next struct {
	Claims  map[string]any // in place of those that the provider would say
	Foreign bool           // signed with a key that is not the provider's
	Drop    bool           // no token at all
}

type provider struct {
	store *storage.Storage
	site  http.Handler
	mu    sync.Mutex
	next  *next
}

// client registers an address to come back to.
func (p *provider) client(w http.ResponseWriter, r *http.Request) {
	storage.RegisterClients(storage.WebClient("tianbao", "secret", r.FormValue("redirect")))
	w.WriteHeader(http.StatusNoContent)
}

func (p *provider) bend(w http.ResponseWriter, r *http.Request) {
	var n next
	if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.next = &n
	p.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// token lets the provider answer and bends what it says, where that was asked for.
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	p.site.ServeHTTP(rec, r)
	p.mu.Lock()
	n := p.next
	p.mu.Unlock()
	body := rec.Body.Bytes()
	if n != nil && rec.Code == http.StatusOK {
		p.mu.Lock()
		p.next = nil
		p.mu.Unlock()
		bent, err := p.bent(r.Context(), body, n)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		body = bent
	}
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	_, _ = w.Write(body)
}

func (p *provider) bent(ctx context.Context, body []byte, n *next) ([]byte, error) {
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	if n.Drop {
		delete(answer, "id_token")
		return json.Marshal(answer)
	}
	raw, _ := answer["id_token"].(string)
	jws, err := jose.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	dec := json.NewDecoder(bytes.NewReader(jws.UnsafePayloadWithoutVerification()))
	dec.UseNumber()
	if err := dec.Decode(&claims); err != nil {
		return nil, err
	}
	for k, v := range n.Claims {
		if claims[k] = v; v == nil {
			delete(claims, k)
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	signing, err := p.store.SigningKey(ctx)
	if err != nil {
		return nil, err
	}
	key := signing.Key()
	if n.Foreign {
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, err
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: signing.ID()}}, nil)
	if err != nil {
		return nil, err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return nil, err
	}
	if answer["id_token"], err = signed.CompactSerialize(); err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}
