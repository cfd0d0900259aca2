package web

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/auth"
	"tianbao/internal/campaign"
	"tianbao/internal/clientcert"
	"tianbao/internal/clock"
	"tianbao/internal/compare"
	"tianbao/internal/living"
	"tianbao/internal/message"
	"tianbao/internal/news"
	"tianbao/internal/oidc"
	"tianbao/internal/org"
	"tianbao/internal/post"
	"tianbao/internal/provision"
	"tianbao/internal/remind"
	"tianbao/internal/report"
)

// Workbooks reads and writes workbooks; internal/sheet does it. Siblings do not
// import each other, so the wiring passes it in.
type Workbooks interface {
	// Read returns the rows of the form found in a workbook, or a
	// tianbao.WorkbookError.
	Read(ctx context.Context, data []byte, name string, form string, version int, help ReadHelp) (*tianbao.Import, error)
	// Heads returns what looks like the header of each sheet, for a person to say what the
	// columns are.
	Heads(ctx context.Context, data []byte, name string, form string, version int, help ReadHelp) ([]SheetHead, error)
	// Book returns a workbook to be gone through row by row.
	Book(data []byte, name string, form string, version int, help ReadHelp) (report.Book, error)
	// Write writes rows as a workbook that looks like the sheet. With the id of a
	// report the workbook carries its origin home.
	Write(w io.Writer, form *tianbao.Form, rows iter.Seq[tianbao.Row], at time.Time, report tianbao.ID, reportVersion int64) error
	// Export is Write with the mark of who takes the workbook away.
	Export(w io.Writer, form *tianbao.Form, rows iter.Seq[tianbao.Row], at time.Time, report tianbao.ID, reportVersion int64, mark tianbao.ExportMark) error
	// Across writes rows of many reports as a workbook of the form, or as CSV; mark is nil
	// where ids and phones are masked.
	Across(w io.Writer, form *tianbao.Form, rows iter.Seq2[tianbao.Row, error], at time.Time, csv bool, mark *tianbao.ExportMark) error
	// List writes a plain table as a workbook with one sheet of a title.
	List(w io.Writer, form *tianbao.Form, sheet string, rows iter.Seq2[tianbao.Row, error], at time.Time) error
	Annotator
}

// Annotator writes back what a workbook gave, each fault in its cell.
type Annotator interface {
	Annotate(w io.Writer, form *tianbao.Form, imp *tianbao.Import, problems []tianbao.Problem, at time.Time) error
}

// ReadHelp is what the sender of a workbook helps with.
type ReadHelp struct {
	Password string // of an encrypted workbook
	Sheet    string // which of several sheets
	// Headers says which field a header means; with an empty key its column is left out.
	Headers map[string]string
}

// SheetHead is the line of a sheet that looks most like a header.
type SheetHead struct {
	Sheet string
	Texts []string
	// Names are the texts as ReadHelp.Headers has them, Fields what each is known to mean.
	Names, Fields []string
}

// Masker masks a cell's value for those who may not see it whole; report.Checker's
// implementation has it.
type Masker interface {
	Mask(field int, value string) string
}

// Config is what a Server stands on. Fields must be set unless they say otherwise.
type Config struct {
	Auth      *auth.Service
	Audit     *audit.Service
	Reports   *report.Service
	Catalog   Catalog
	Org       *org.Service
	Register  Register
	Campaigns *campaign.Service
	Reminders *remind.Service
	// Post takes reports in by mail; it is there also where no mailbox is set up.
	Post     *post.Service
	Messages *message.Service
	// Platform makes and carries out plans of accounts, PlatformAccounts reads what they
	// led to, Profile says how they look as a file.
	Platform         *provision.Service
	PlatformAccounts PlatformAccounts
	// Codes shows whose phones are.
	Codes        *provision.Codes
	AccountPages AccountPages
	Profile      *provision.Profile
	Living       *living.Service
	News         *news.Service
	FeedStore    FeedStore
	Compare      *compare.Service
	Compared     Compared
	// Forms returns the newest version of each form that a collection may have.
	Forms     func(context.Context) ([]*tianbao.Form, error)
	FormBook  FormBook
	Drafts    Drafts
	Reveals   Reveals
	Purposes  Purposes
	Erasures  Erasures
	Workbooks Workbooks
	// Mask returns the masks of a form at a version.
	Mask func(form string, version int) (Masker, error)
	// RevealLimit is how many rows an account may see whole within an hour.
	RevealLimit int
	// KeepMonths is for how many months after its end a collection is kept before a person
	// is erased from it, where the collection says nothing.
	KeepMonths int
	// Schema returns the published Table Schema file of a form at a version.
	Schema func(form string, version int) ([]byte, error)
	// Manual is the user's manual as Markdown, Pictures its image files by name.
	Manual []byte
	// BureauManual is the manual of the finance bureaus.
	BureauManual []byte
	Pictures     func(name string) ([]byte, error)
	Log          *slog.Logger
	Now          clock.Clock
	// TLS tells that browsers reach the server by https, directly or through a
	// gateway: it turns on Strict-Transport-Security.
	TLS bool
	// Proxies are the networks of gateways whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// PublicURL is the address under which people open the site, without a path; empty:
	// as their browsers say.
	PublicURL string
	// OIDC is the platform's own sign-in, nil: there is none.
	OIDC *oidc.Client
	// Certificates reads what a gateway shows in the header CertificateHeader; nil: none
	// does.
	Certificates      *clientcert.Checker
	CertificateHeader string
	// AdminNets are the networks from which alone the offices work; none: from all.
	AdminNets []netip.Prefix
	// Watch is told of every request; nil: nobody watches.
	Watch Watch
	// Checks say whether the server is ready to be sent people, for /readyz.
	Checks func(context.Context) []Check
	// Patience is how long a request may be worked on, streams of events excepted; what takes
	// longer has nobody left who would read its answer. 0: for ever.
	Patience time.Duration
	// Memory is how much the program may take; 0: nobody says.
	Memory int64
	// Limits are the rate limits; nil stands for DefaultLimits.
	Limits Limits
	// Demo shows the demo accounts on the sign-in page.
	Demo    []DemoAccount
	Version string
}

// DemoAccount is an account that the sign-in page of a demonstration offers.
type DemoAccount struct {
	Login, Password, Name, What string
}

// Server answers requests. Its zero value is of no use; call New.
type Server struct {
	Config
	pages   *pages
	assets  map[string]asset // style and scripts by file name
	routes  []route
	help    func() (helpText, error)
	bureau  func() (helpText, error)
	jobs    *jobs
	loads   *loads[org.Plan]
	batches *loads[accountPlan]
	lists   *loads[listPlan]
	runs    *loads[compare.Comparison]
	rules   ruleBook
	live    *hub
	// throttle counts what is limited a minute.
	throttle *throttle
	// readings are what was recorded of late as read.
	readings *readings
	// untold is set once the log has told of a gateway that is not trusted.
	untold atomic.Bool
	// valve bounds how many requests are worked on at once.
	valve *valve
	// reading bounds how many workbooks are read at once.
	reading chan struct{}
	// bodies and work bound what large requests take of the memory.
	bodies, work *ration
	// leaving bounds how many city views go out at once.
	leaving chan struct{}
}

// maxReading is how many workbooks are read at once, to bound memory.
const maxReading = 2

// New builds the server. It fails if a route has no access rule.
func New(c Config) (*Server, error) {
	s := &Server{Config: c}
	var err error
	if s.pages, err = newPages(); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	s.help, s.bureau = s.renderHelp(c.Manual, false), s.renderHelp(c.BureauManual, true)
	memory, reading := c.Memory, maxReading
	if memory <= 0 {
		memory = someMemory
	}
	if memory < littleMemory {
		reading = 1
	}
	s.bodies, s.work = newRation(max(leastBodies, memory/roomOfBodies)), newRation(max(leastWork, memory/roomOfWork))
	s.reading = make(chan struct{}, reading)
	s.leaving = make(chan struct{}, maxAcross)
	if s.Limits == nil {
		s.Limits = DefaultLimits()
	}
	s.throttle = newThrottle(c.Now)
	s.readings = newReadings(c.Now)
	s.valve = newValve(c.Now)
	s.jobs = newJobs(c.Now, c.Log)
	s.loads = newLoads[org.Plan](c.Now, c.Log, maxLoads)
	s.batches = newLoads[accountPlan](c.Now, c.Log, maxBatches)
	s.lists = newLoads[listPlan](c.Now, c.Log, maxLoads)
	s.runs = newLoads[compare.Comparison](c.Now, c.Log, maxLoads)
	s.live = newHub(c.Catalog.Versions, c.Log)
	s.routes = s.table()
	return s, checkRoutes(s.routes)
}

// Handler returns the whole site.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range s.routes {
		mux.Handle(rt.Method+" "+rt.Path, s.serve(rt))
	}
	mux.Handle("/", s.fallback())
	return chain(mux, s.paced, s.known, s.logged, s.recovered, s.headers, s.sameOrigin)
}

// Close ends the open event streams, which no shutdown would wait out.
func (s *Server) Close() { s.live.close() }

// chain wraps h so that the first middleware sees a request first.
func chain(h http.Handler, ms ...func(http.Handler) http.Handler) http.Handler {
	for i := len(ms) - 1; i >= 0; i-- {
		h = ms[i](h)
	}
	return h
}
