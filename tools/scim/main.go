// The scim command is a SCIM 2.0 service of another make (elimity-com/scim) that keeps its
// users in memory, for the tests of our client. It prints its address, takes the token
// "secret" and runs until it is killed.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// users keeps the users.
type users struct {
	mu   sync.Mutex
	next int
	all  []scim.Resource
}

func (u *users) at(id string) int {
	for i := range u.all {
		if u.all[i].ID == id {
			return i
		}
	}
	return -1
}

func (u *users) taken(id string, name any) bool {
	for i := range u.all {
		if u.all[i].ID != id && u.all[i].Attributes["userName"] == name {
			return true
		}
	}
	return false
}

// Create makes a user whose userName nobody has.
func (u *users) Create(_ *http.Request, a scim.ResourceAttributes) (scim.Resource, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.taken("", a["userName"]) {
		return scim.Resource{}, errors.ScimErrorUniqueness
	}
	u.next++
	r := scim.Resource{ID: strconv.Itoa(u.next), Attributes: a}
	if e, ok := a["externalId"].(string); ok {
		r.ExternalID = optional.NewString(e)
	}
	u.all = append(u.all, r)
	return r, nil
}

// Get returns a user.
func (u *users) Get(_ *http.Request, id string) (scim.Resource, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if i := u.at(id); i >= 0 {
		return u.all[i], nil
	}
	return scim.Resource{}, errors.ScimErrorResourceNotFound(id)
}

// GetAll returns the users that pass the filter.
func (u *users) GetAll(_ *http.Request, p scim.ListRequestParams) (scim.Page, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var out scim.Page
	for i := range u.all {
		if p.FilterValidator != nil {
			seen := scim.ResourceAttributes{"id": u.all[i].ID, "externalId": u.all[i].ExternalID.Value()}
			for k, v := range u.all[i].Attributes {
				seen[k] = v
			}
			if p.FilterValidator.PassesFilter(seen) != nil {
				continue
			}
		}
		if out.TotalResults++; out.TotalResults >= p.StartIndex && len(out.Resources) < p.Count {
			out.Resources = append(out.Resources, u.all[i])
		}
	}
	return out, nil
}

// Replace is not used.
func (u *users) Replace(*http.Request, string, scim.ResourceAttributes) (scim.Resource, error) {
	return scim.Resource{}, errors.ScimErrorInternal
}

// Delete is not used.
func (u *users) Delete(*http.Request, string) error { return errors.ScimErrorInternal }

// Patch changes single attributes.
func (u *users) Patch(_ *http.Request, id string, ops []scim.PatchOperation) (scim.Resource, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := u.at(id)
	if i < 0 {
		return scim.Resource{}, errors.ScimErrorResourceNotFound(id)
	}
	a := scim.ResourceAttributes{}
	for k, v := range u.all[i].Attributes {
		a[k] = v
	}
	for _, op := range ops {
		in, name := map[string]any(a), op.Path.AttributePath.AttributeName
		if uri := op.Path.AttributePath.URI(); uri != "" && strings.EqualFold(uri, enterprise) {
			in = inner(a, enterprise)
		}
		if sub := op.Path.AttributePath.SubAttribute; sub != nil {
			in, name = inner(in, name), *sub
		}
		if op.Op == scim.PatchOperationRemove {
			delete(in, name)
			continue
		}
		in[name] = op.Value
	}
	if u.taken(id, a["userName"]) {
		return scim.Resource{}, errors.ScimErrorUniqueness
	}
	u.all[i].Attributes = a
	return u.all[i], nil
}

// inner returns a copy of an attribute of attributes, put in its place.
func inner(in map[string]any, name string) map[string]any {
	out := map[string]any{}
	if have, ok := in[name].(map[string]any); ok {
		for k, v := range have {
			out[k] = v
		}
	}
	in[name] = out
	return out
}

// many answers a Bulk request (RFC 7644 §3.7), which the module does not have, by giving the
// service its operations one by one; and tells that it does. Of an operation with the
// userName "silent" it tells nothing.
func many(w http.ResponseWriter, r *http.Request, server http.Handler) bool {
	w.Header().Set("Content-Type", "application/scim+json")
	switch r.URL.Path {
	case "/v2/ServiceProviderConfig":
		fmt.Fprint(w, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],"bulk":{"supported":true,"maxOperations":3,"maxPayloadSize":4096}}`)
		return true
	case "/v2/Bulk":
	default:
		return false
	}
	var in struct {
		Operations []struct {
			Method, Path, BulkID string
			Data                 json.RawMessage
		}
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || len(in.Operations) > 3 {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return true
	}
	type answer struct {
		Method   string `json:"method"`
		BulkID   string `json:"bulkId"`
		Location string `json:"location,omitempty"`
		Status   string `json:"status"`
	}
	out := struct {
		Schemas    []string `json:"schemas"`
		Operations []answer `json:"Operations"`
	}{Schemas: []string{"urn:ietf:params:scim:api:messages:2.0:BulkResponse"}}
	for _, op := range in.Operations {
		one := httptest.NewRequest(op.Method, "/v2"+op.Path, bytes.NewReader(op.Data))
		one.Header.Set("Content-Type", "application/scim+json")
		got := httptest.NewRecorder()
		server.ServeHTTP(got, one)
		if strings.Contains(string(op.Data), `"userName":"silent"`) {
			continue
		}
		a := answer{Method: op.Method, BulkID: op.BulkID, Status: strconv.Itoa(got.Code)}
		var made struct{ ID string }
		if json.Unmarshal(got.Body.Bytes(), &made) == nil && made.ID != "" {
			a.Location = "https://platform.example/v2/Users/" + made.ID
		}
		out.Operations = append(out.Operations, a)
	}
	_ = json.NewEncoder(w).Encode(out)
	return true
}

func main() {
	bulk := flag.Bool("bulk", false, "take several operations in one request")
	flag.Parse()
	config := scim.ServiceProviderConfig{MaxResults: 2, SupportFiltering: true, SupportPatch: true}
	server, err := scim.NewServer(&scim.ServerArgs{
		ServiceProviderConfig: &config,
		ResourceTypes: []scim.ResourceType{{
			ID: optional.NewString("User"), Name: "User", Endpoint: "/Users", Schema: schema.CoreUserSchema(),
			SchemaExtensions: []scim.SchemaExtension{{Schema: schema.ExtensionEnterpriseUser()}}, Handler: &users{},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("http://" + l.Addr().String())
	log.Fatal(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if *bulk && many(w, r, server) {
			return
		}
		server.ServeHTTP(w, r)
	})))
}
