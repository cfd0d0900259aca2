package client

import "time"

// Service is what a token may do.
type Service struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Verbs    []string  `json:"verbs"`
	Unit     string    `json:"unit"`
	UnitName string    `json:"unit_name"`
	By       string    `json:"by"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires"`
	Used     time.Time `json:"used"`
	State    string    `json:"state"` // in the users' words
}

// Collection is a collection (采集).
type Collection struct {
	ID          string    `json:"id"`
	Title       string    `json:"title"`
	Form        string    `json:"form"`
	FormVersion int       `json:"form_version"`
	Phase       string    `json:"phase"` // open, ended, archived
	Opens       time.Time `json:"opens"`
	Closes      time.Time `json:"closes"`  // zero: no deadline
	Reviews     bool      `json:"reviews"` // what is reported is reviewed
}

// Unit is a unit of the register.
type Unit struct {
	ID         string `json:"id"`
	Parent     string `json:"parent"`
	Name       string `json:"name"`
	Kind       string `json:"kind"` // bureau, department, unit
	Type       string `json:"type"`
	BudgetCode string `json:"budget_code"`
	OrgCode    string `json:"org_code"`
	RegionCode string `json:"region_code"`
	RegionName string `json:"region_name"`
}

// Standing is where a unit stands in a collection.
type Standing struct {
	ID         string    `json:"id"` // of the unit
	Name       string    `json:"name"`
	BudgetCode string    `json:"budget_code"`
	OrgCode    string    `json:"org_code"`
	State      string    `json:"state"`
	StateName  string    `json:"state_name"` // in the users' words
	Done       bool      `json:"done"`       // nothing is awaited
	Rows       int       `json:"rows"`
	Faulty     int       `json:"faulty"` // rows with errors
	Since      time.Time `json:"since"`  // of the state
	Open       bool      `json:"open"`   // may fill in now
	Until      time.Time `json:"until"`
}

// Row is a row of a report.
type Row struct {
	ID            string            `json:"id"`
	Report        string            `json:"report"`
	ReportVersion int64             `json:"report_version"`
	State         string            `json:"state"` // of the report
	Owner         string            `json:"owner"` // the unit whose report it is
	OwnerName     string            `json:"owner_name"`
	Unit          string            `json:"unit"` // the unit whose row it is
	Version       int64             `json:"version"`
	Faults        int               `json:"faults"`
	Values        map[string]string `json:"values"` // by the form's keys
}

// Event is something that happened, as the feed and webhooks tell it.
type Event struct {
	ID         string    `json:"id"`
	Cursor     string    `json:"cursor"` // to go on behind it
	Type       string    `json:"type"`   // report.reported, …
	At         time.Time `json:"at"`
	Unit       string    `json:"unit"`
	BudgetCode string    `json:"budget_code"`
	OrgCode    string    `json:"org_code"`
	Collection string    `json:"collection"`
	Report     string    `json:"report"`
	Version    int64     `json:"version"` // of the report
	Rows       int       `json:"rows"`
	Put        int       `json:"put"`
	Deleted    int       `json:"deleted"`
}
