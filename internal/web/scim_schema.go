package web

import "net/http"

// What SCIM clients ask first: RFC 7643 §5 to §7.

func (s *Server) scimConfig(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	no := object{"supported": false}
	return s.scim(w, object{
		"schemas": []string{scimConfig}, "patch": no, "changePassword": no, "sort": no, "etag": no,
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

func (s *Server) scimResourceTypes(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	of := func(id, schema string, more ...object) object {
		return object{
			"schemas": []string{scimResource}, "id": id, "name": id, "endpoint": "/" + id + "s", "schema": schema, "schemaExtensions": append([]object{}, more...),
			"meta": object{"resourceType": "ResourceType", "location": s.scimAt(r, "/ResourceTypes/"+id)},
		}
	}
	return s.scim(w, scimListOf(of("User", scimUser, object{"schema": scimEnterprise, "required": true}), of("Group", scimGroup)))
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
	return s.scim(w, scimListOf(
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
	))
}
