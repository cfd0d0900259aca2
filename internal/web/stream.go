package web

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// stream is an answer of server-sent events. What it sends tells whether the other side
// is still there.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// begin begins the answer; false: there is no more to send.
func (st stream) begin(r *http.Request) bool {
	h := st.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // a gateway must pass events on as they come
	st.w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return false
	}
	_ = st.rc.SetReadDeadline(time.Time{}) // the server's limits are for answers that end
	return st.send("retry: 2000\n\n")
}

func (st stream) send(text string) bool {
	_ = st.rc.SetWriteDeadline(time.Now().Add(writeLimit)) // a limit, never a decision
	_, err := fmt.Fprint(st.w, text)
	return err == nil && st.rc.Flush() == nil
}

// goodbye ends the answer of a server that stops: the page comes back by itself, not in
// the same moment as all others.
func (st stream) goodbye() {
	st.send(fmt.Sprintf("retry: %d\n\n", 1000+rand.IntN(4000))) //#nosec G404 -- spread, no secret
}

func (st stream) event(name string, data any) bool {
	b, err := json.Marshal(data)
	return err == nil && st.send("event: "+name+"\ndata: "+string(b)+"\n\n")
}
