package web

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/provision"
)

// SCIM 2.0 (RFC 7643, RFC 7644) for systems that pull the accounts of the new platform:
// read only, with a service token. Users are the accounts, Groups the units that have some.
// Resident ids are in no answer; phones are, as logins, so each answer is on the trail.

// AccountPages reads the accounts of the new platform page by page.
type AccountPages interface {
	AccountsAt(ctx context.Context, scope tianbao.Scope, offset, limit int) ([]provision.Stored, error)
	AccountByExternal(ctx context.Context, scope tianbao.Scope, external string) (provision.Stored, error)
	AccountGroups(ctx context.Context, scope tianbao.Scope, unit tianbao.ID, offset, limit int) (units []tianbao.Unit, members map[tianbao.ID][]tianbao.ID, total int, err error)
}

// The names of SCIM.
const (
	scimType       = "application/scim+json; charset=utf-8"
	scimBase       = "/scim/v2"
	scimUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	scimEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	scimGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	scimList       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	scimError      = "urn:ietf:params:scim:api:messages:2.0:Error"
	scimConfig     = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	scimSchema     = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	scimResource   = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	scimMost       = 200 // resources in one answer
)

// scimReads is the rule of the routes of SCIM.
func scimReads() rule {
	r := serving(auth.VerbAccounts)
	r.fail = scimFail
	return r
}

// scimRoutes lists the routes of SCIM.
func (s *Server) scimRoutes() []route {
	const get = http.MethodGet
	reads := scimReads()
	return []route{
		{get, scimBase + "/ServiceProviderConfig", reads, s.scimConfig, "scimConfig", "SCIM 2.0: what this provider can do", nil, nil, false, 0},
		{get, scimBase + "/ResourceTypes", reads, s.scimResourceTypes, "scimResourceTypes", "SCIM 2.0: users and groups", nil, nil, false, 0},
		{get, scimBase + "/ResourceTypes/{type}", reads, s.scimResourceType, "scimResourceType", "SCIM 2.0: one of users and groups", nil, nil, false, 0},
		{get, scimBase + "/Schemas/{schema}", reads, s.scimSchemaOf, "scimSchema", "SCIM 2.0: the attributes of one schema, by its URN", nil, nil, false, 0},
		{get, scimBase + "/Schemas", reads, s.scimSchemas, "scimSchemas", "SCIM 2.0: the attributes of users and groups", nil, nil, false, 0},
		{get, scimBase + "/Users", reads, s.scimUsers, "scimUsers", "SCIM 2.0: accounts of the new platform; query: startIndex, count, filter (userName, externalId or id, eq)", nil, wireSCIMUsers{}, false, 0},
		{get, scimBase + "/Users/{account}", reads, s.scimUser, "scimUser", "SCIM 2.0: one account", nil, wireSCIMUser{}, false, 0},
		{get, scimBase + "/Groups", reads, s.scimGroups, "scimGroups", "SCIM 2.0: units with their accounts; query: startIndex, count", nil, wireSCIMGroups{}, false, 0},
		{get, scimBase + "/Groups/{group}", reads, s.scimGroup, "scimGroup", "SCIM 2.0: one unit with its accounts", nil, wireSCIMGroup{}, false, 0},
	}
}

type wireSCIMMeta struct {
	ResourceType string `json:"resourceType"`
	Created      string `json:"created,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
	Location     string `json:"location"`
}

type wireSCIMUser struct {
	Schemas      []string           `json:"schemas"`
	ID           string             `json:"id"`
	ExternalID   string             `json:"externalId,omitempty"` // at the platform
	UserName     string             `json:"userName"`
	DisplayName  string             `json:"displayName"`
	Name         wireSCIMName       `json:"name"`
	Active       bool               `json:"active"`
	PhoneNumbers []wireSCIMValue    `json:"phoneNumbers,omitempty"`
	Groups       []wireSCIMValue    `json:"groups"` // the home first
	Enterprise   wireSCIMEnterprise `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
	Meta         wireSCIMMeta       `json:"meta"`
}

type wireSCIMName struct {
	Formatted string `json:"formatted"`
}

type wireSCIMValue struct {
	Value   string `json:"value"`
	Type    string `json:"type,omitempty"`
	Primary bool   `json:"primary,omitempty"`
	Display string `json:"display,omitempty"`
	Ref     string `json:"$ref,omitempty"`
}

// wireSCIMEnterprise names the home unit.
type wireSCIMEnterprise struct {
	Organization string `json:"organization"`         // name
	Department   string `json:"department,omitempty"` // budget code
	Division     string `json:"division,omitempty"`   // organisation code
}

type wireSCIMUsers struct {
	Schemas      []string       `json:"schemas"`
	TotalResults int            `json:"totalResults"`
	StartIndex   int            `json:"startIndex"`
	ItemsPerPage int            `json:"itemsPerPage"`
	Resources    []wireSCIMUser `json:"Resources"`
}

type wireSCIMGroup struct {
	Schemas     []string        `json:"schemas"`
	ID          string          `json:"id"`
	ExternalID  string          `json:"externalId,omitempty"` // budget code
	DisplayName string          `json:"displayName"`
	Members     []wireSCIMValue `json:"members"`
	Meta        wireSCIMMeta    `json:"meta"`
}

type wireSCIMGroups struct {
	Schemas      []string        `json:"schemas"`
	TotalResults int             `json:"totalResults"`
	StartIndex   int             `json:"startIndex"`
	ItemsPerPage int             `json:"itemsPerPage"`
	Resources    []wireSCIMGroup `json:"Resources"`
}

// scimFail answers an error as RFC 7644 §3.12 has it.
func scimFail(w http.ResponseWriter, _ *http.Request, e *tianbao.Error) {
	status := statuses[e.Kind]
	out := map[string]any{"schemas": []string{scimError}, "status": strconv.Itoa(status), "detail": e.Message}
	if e.Code == "invalidFilter" || e.Code == "invalidValue" {
		out["scimType"] = e.Code
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	w.Header().Set("Content-Type", scimType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out) // the client is gone if it fails
}

func (s *Server) scim(w http.ResponseWriter, out any) error {
	w.Header().Set("Content-Type", scimType)
	_ = json.NewEncoder(w).Encode(out) // the client is gone if it fails
	return nil
}

// scimAt is the address of a resource.
func (s *Server) scimAt(r *http.Request, path string) string { return s.siteOf(r) + scimBase + path }

// siteOf is the address of the site, as a program reached it where nobody set it.
func (s *Server) siteOf(r *http.Request) string {
	switch {
	case s.PublicURL != "":
		return s.PublicURL
	case s.TLS:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// scimPage reads startIndex and count (RFC 7644 §3.4.2.4): what is too small is 1, or 0.
func scimPage(r *http.Request) (start, count int, err error) {
	start, count = 1, scimMost
	for name, at := range map[string]*int{"startIndex": &start, "count": &count} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		if *at, err = strconv.Atoi(text); err != nil {
			return 0, 0, tianbao.Invalid("invalidValue", "startIndex 和 count 要是整数。")
		}
	}
	return max(start, 1), min(max(count, 0), scimMost), nil
}

var scimFilter = regexp.MustCompile(`^\s*(?i:(userName|externalId|id)\s+eq)\s+("(?:[^"\\]|\\.)*")\s*$`)

// scimFilterOf reads a filter: one attribute, eq, one string.
func scimFilterOf(text string) (attribute, value string, err error) {
	bad := tianbao.Invalid("invalidFilter", "过滤条件只支持 userName、externalId 或 id 的 eq，例如 userName eq \"16000000000\"。")
	m := scimFilter.FindStringSubmatch(text)
	if len(text) > 500 || m == nil || json.Unmarshal([]byte(m[2]), &value) != nil {
		return "", "", bad
	}
	return strings.ToLower(m[1]), value, nil
}

// scimTrail writes on the trail how many accounts went out.
func (s *Server) scimTrail(r *http.Request, v *viewer, n int) error {
	return s.Auth.Record(r.Context(), tianbao.Event{
		Owner: v.service.Unit, From: address(r), What: "platform.read", Object: "scim", Detail: strconv.Itoa(n) + " accounts, token=" + v.service.ID.String(),
	})
}

func (s *Server) scimUsers(w http.ResponseWriter, r *http.Request, v *viewer) error {
	ctx, scope := r.Context(), v.service.Scope(auth.VerbAccounts)
	start, count, err := scimPage(r)
	if err != nil {
		return err
	}
	out := wireSCIMUsers{Schemas: []string{scimList}, StartIndex: start, Resources: []wireSCIMUser{}}
	var some []provision.Stored
	if filter := r.URL.Query().Get("filter"); filter != "" {
		attribute, value, err := scimFilterOf(filter)
		if err != nil {
			return err
		}
		a, err := s.scimFind(ctx, scope, attribute, value)
		switch {
		case err == nil:
			if out.TotalResults = 1; start == 1 && count > 0 {
				some = []provision.Stored{a}
			}
		case tianbao.KindOf(err) != tianbao.ErrNotFound:
			return err
		}
	} else {
		if out.TotalResults, err = s.PlatformAccounts.CountAccounts(ctx, scope); err != nil {
			return err
		}
		if some, err = s.AccountPages.AccountsAt(ctx, scope, start-1, count); err != nil {
			return err
		}
	}
	if out.Resources, err = s.toSCIM(r, v, some); err != nil {
		return err
	}
	out.ItemsPerPage = len(out.Resources)
	if err := s.scimTrail(r, v, len(some)); err != nil {
		return err
	}
	return s.scim(w, out)
}

// scimFind finds the account that a filter names.
func (s *Server) scimFind(ctx context.Context, scope tianbao.Scope, attribute, value string) (provision.Stored, error) {
	switch attribute {
	case "username":
		return s.PlatformAccounts.AccountByLogin(ctx, scope, value)
	case "externalid":
		return s.AccountPages.AccountByExternal(ctx, scope, value)
	}
	id, err := tianbao.ParseID(value)
	if err != nil {
		return provision.Stored{}, tianbao.NotFound()
	}
	return s.PlatformAccounts.Account(ctx, scope, id)
}

func (s *Server) scimUser(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "account")
	if err != nil {
		return err
	}
	a, err := s.PlatformAccounts.Account(r.Context(), v.service.Scope(auth.VerbAccounts), id)
	if err != nil {
		return err
	}
	all, err := s.toSCIM(r, v, []provision.Stored{a})
	if err != nil {
		return err
	}
	if err := s.scimTrail(r, v, 1); err != nil {
		return err
	}
	return s.scim(w, all[0])
}

// toSCIM writes accounts as users, of whose units only those in scope are told.
func (s *Server) toSCIM(r *http.Request, v *viewer, some []provision.Stored) ([]wireSCIMUser, error) {
	var ids []tianbao.ID
	for i := range some {
		ids = append(ids, some[i].Units...)
	}
	units, err := s.PlatformAccounts.UnitsNamed(r.Context(), ids)
	if err != nil {
		return nil, err
	}
	scope := v.service.Scope(auth.VerbAccounts)
	out := make([]wireSCIMUser, len(some))
	for i := range some {
		a := &some[i]
		u := wireSCIMUser{
			Schemas: []string{scimUser, scimEnterprise}, ID: a.ID.String(), ExternalID: a.External, UserName: a.Login, DisplayName: a.Name,
			Name: wireSCIMName{a.Name}, Active: !a.Disabled, Groups: []wireSCIMValue{},
			Meta: wireSCIMMeta{"User", stamp(a.Made), stamp(a.Changed), s.scimAt(r, "/Users/"+a.ID.String())},
		}
		if provision.Mobile(a.Login) {
			u.PhoneNumbers = []wireSCIMValue{{Value: a.Login, Type: "mobile", Primary: true}}
		}
		for _, id := range a.Units {
			unit, ok := units[id]
			if !ok || !scope.Covers(unit.Path) {
				continue
			}
			if len(u.Groups) == 0 {
				u.Enterprise = wireSCIMEnterprise{unit.Name, unit.BudgetCode, unit.OrgCode}
			}
			u.Groups = append(u.Groups, wireSCIMValue{Value: id.String(), Display: unit.Name, Ref: s.scimAt(r, "/Groups/"+id.String())})
		}
		out[i] = u
	}
	return out, nil
}

func (s *Server) scimGroups(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if r.URL.Query().Get("filter") != "" {
		return tianbao.Invalid("invalidFilter", "单位不支持过滤条件，请按页读取。")
	}
	start, count, err := scimPage(r)
	if err != nil {
		return err
	}
	out := wireSCIMGroups{Schemas: []string{scimList}, StartIndex: start}
	out.Resources, out.TotalResults, err = s.scimUnits(r, v, 0, start-1, count)
	if err != nil {
		return err
	}
	out.ItemsPerPage = len(out.Resources)
	return s.scim(w, out)
}

func (s *Server) scimGroup(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "group")
	if err != nil {
		return err
	}
	some, _, err := s.scimUnits(r, v, id, 0, 1)
	if err == nil && len(some) == 0 {
		err = tianbao.NotFound()
	}
	if err != nil {
		return err
	}
	return s.scim(w, some[0])
}

func (s *Server) scimUnits(r *http.Request, v *viewer, unit tianbao.ID, offset, limit int) ([]wireSCIMGroup, int, error) {
	units, members, total, err := s.AccountPages.AccountGroups(r.Context(), v.service.Scope(auth.VerbAccounts), unit, offset, limit)
	out := make([]wireSCIMGroup, 0, len(units))
	for _, u := range units {
		g := wireSCIMGroup{
			Schemas: []string{scimGroup}, ID: u.ID.String(), ExternalID: u.BudgetCode, DisplayName: u.Name, Members: []wireSCIMValue{},
			Meta: wireSCIMMeta{ResourceType: "Group", Location: s.scimAt(r, "/Groups/"+u.ID.String())},
		}
		for _, id := range members[u.ID] {
			g.Members = append(g.Members, wireSCIMValue{Value: id.String(), Type: "User", Ref: s.scimAt(r, "/Users/"+id.String())})
		}
		out = append(out, g)
	}
	return out, total, err
}
