// Package web shows the office to browsers and to programs. A resource has one
// route, one access rule and one handler; it answers HTML to a browser and JSON to
// "Accept: application/json", so whatever a page can do the API can.
//
// Rules: all routes stand in routes.go, each with a rule (a route without one does
// not build a server); every scope is applied in the store's query, so that what
// lies outside it is 404 like what does not exist; handlers return errors, one
// table maps them to a status and one Chinese sentence.
//
// Danger: rows pass through here in clear on their way to the people who fill
// them in. Responses are never cached, and no value of a row is put into a URL,
// an error or a log.
package web
