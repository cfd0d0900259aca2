package web

import (
	"net/http"

	"tianbao"
)

// What SCIM clients ask first: RFC 7643 §5 to §7.

func (s *Server) scimConfig(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	no := object{"supported": false}
	return s.scim(w, object{
		"schemas": []string{scimConfig}, "patch": no, "changePassword": no, "sort": no, "etag": no,
		// What is read only has nothing to take in bulk.
		"bulk":   object{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter": object{"supported": true, "maxResults": scimMost},
		"authenticationSchemes": []object{{
			"type": "oauthbearertoken", "name": "Bearer", "description": "A service token, made by the security administrator.", "primary": true,
		}},
		"meta": object{"resourceType": "ServiceProviderConfig", "location": s.scimAt(r, "/ServiceProviderConfig")},
	})
}

func scimListOf(all ...object) object {
	return object{"schemas": []string{scimList}, "totalResults": len(all), "startIndex": 1, "itemsPerPage": len(all), "Resources": all}
}

// scimOne answers the one of several that has an id, as it stands in the list of them.
func (s *Server) scimOne(w http.ResponseWriter, id string, all []object) error {
	for _, o := range all {
		if o["id"] == id {
			return s.scim(w, o)
		}
	}
	return tianbao.NotFound()
}

func (s *Server) scimResourceTypes(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	return s.scim(w, scimListOf(s.scimTypes(r)...))
}

func (s *Server) scimResourceType(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	return s.scimOne(w, r.PathValue("type"), s.scimTypes(r))
}

func (s *Server) scimTypes(r *http.Request) []object {
	of := func(id, schema string, more ...object) object {
		return object{
			"schemas": []string{scimResource}, "id": id, "name": id, "endpoint": "/" + id + "s", "schema": schema, "schemaExtensions": append([]object{}, more...),
			"meta": object{"resourceType": "ResourceType", "location": s.scimAt(r, "/ResourceTypes/"+id)},
		}
	}
	return []object{of("User", scimUser, object{"schema": scimEnterprise, "required": true}), of("Group", scimGroup)}
}

// scimAttribute describes an attribute, which is read only as all of them are.
func scimAttribute(name, kind, what string, sub ...object) object {
	a := object{
		"name": name, "type": kind, "description": what, "multiValued": false, "required": false, "caseExact": true,
		"mutability": "readOnly", "returned": "default", "uniqueness": "none",
	}
	if len(sub) > 0 {
		a["subAttributes"] = sub
	}
	return a
}

func scimMany(a object) object {
	a["multiValued"] = true
	return a
}

func (s *Server) scimSchemas(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	return s.scim(w, scimListOf(s.scimSchemaList(r)...))
}

func (s *Server) scimSchemaOf(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	return s.scimOne(w, r.PathValue("schema"), s.scimSchemaList(r))
}

func (s *Server) scimSchemaList(r *http.Request) []object {
	of := func(id, name string, attributes ...object) object {
		return object{
			"schemas": []string{scimSchema}, "id": id, "name": name, "attributes": attributes,
			"meta": object{"resourceType": "Schema", "location": s.scimAt(r, "/Schemas/"+id)},
		}
	}
	unique := scimAttribute("userName", "string", "The login: a mobile phone.")
	unique["required"], unique["uniqueness"] = true, "server"
	value := scimAttribute("value", "string", "The value, or the id.")
	display := scimAttribute("display", "string", "The name.")
	return []object{
		of(scimUser, "User", unique,
			scimAttribute("displayName", "string", "The person's name."),
			scimAttribute("name", "complex", "The person's name.", scimAttribute("formatted", "string", "As written.")),
			scimAttribute("active", "boolean", "Whether the account is in use."),
			scimMany(scimAttribute("phoneNumbers", "complex", "The mobile phone.", value, scimAttribute("type", "string", "mobile."), scimAttribute("primary", "boolean", "True."))),
			scimMany(scimAttribute("groups", "complex", "The units, the home first.", value, display))),
		of(scimEnterprise, "EnterpriseUser",
			scimAttribute("organization", "string", "The name of the home unit."),
			scimAttribute("department", "string", "Its budget code."),
			scimAttribute("division", "string", "Its organisation code.")),
		of(scimGroup, "Group",
			scimAttribute("displayName", "string", "The name of the unit."),
			scimMany(scimAttribute("members", "complex", "The accounts.", value, scimAttribute("type", "string", "User.")))),
	}
}
