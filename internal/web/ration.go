package web

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"tianbao"
)

// What large requests may take of the memory, all of them together. A body is counted by its
// length, before anything of it is read; what is made of a workbook, and the rows of a long
// sheet that go out, by what that takes in the mean. Without it some dozen long files at once
// take more than a small machine has, and the system ends the program.
const (
	roomOfBodies = 5         // a fifth of the memory, and
	leastBodies  = 64 << 20  // so much for one of the largest with some others
	roomOfWork   = 3         // a third of it
	leastWork    = 160 << 20 // what one of the largest files takes
	smallBody    = 256 << 10 // is not counted: as many as may be worked on fit into what is left
	perFileByte  = 8         // of what is made of a byte of a workbook, which is packed
	perBodyByte  = 4         // of a byte of JSON: its text, values, and what they lead to
	perRow       = 1 << 10   // of a row that goes out
	roomPatience = 15 * time.Second
	littleMemory = 1 << 30 // below it workbooks are read one at a time
	someMemory   = 2 << 30 // is taken where nobody says how much there is
)

// ration is an amount of memory that is given out. Whoever asks for more than there is at all
// gets it when nobody else has any.
type ration struct {
	most int64
	mu   sync.Mutex
	used int64
	free chan struct{} // closed when some is given back
}

func newRation(most int64) *ration { return &ration{most: most, free: make(chan struct{})} }

// take takes n bytes, or returns a channel that is closed when there may be more room.
func (r *ration) take(n int64) (give func(), full <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used > 0 && r.used+n > r.most {
		return nil, r.free
	}
	r.used += n
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.used -= n
		close(r.free)
		r.free = make(chan struct{})
	}), nil
}

// await takes n bytes as soon as there is room for them, within the patience.
func (r *ration) await(ctx context.Context, n int64, patience time.Duration) (give func(), err error) {
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		give, full := r.take(n)
		if give != nil {
			return give, nil
		}
		select {
		case <-full:
		case <-end.C:
			return nil, errNoRoom()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *ration) busy() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used
}

func errNoRoom() *tianbao.Error {
	return &tianbao.Error{
		Kind: tianbao.ErrUnavailable, Code: "no_room", RetryAfter: 10,
		Message: "现在同时处理的大文件较多，这一次没有处理，请过十几秒再试一次。",
	}
}

// holder is what a request has taken of the room for work; it is given back with its end.
type holder struct {
	mu   sync.Mutex
	done []func()
}

// admitBody takes the room of a request's body, and lets it take more for its work. The
// function gives all of it back.
func (s *Server) admitBody(r *http.Request, rt *route) (_ *http.Request, giveBack func(), err error) {
	length := r.ContentLength
	if length < 0 || length > rt.maxBody() {
		length = rt.maxBody()
	}
	h := &holder{}
	if length > smallBody {
		if !rt.Upload {
			length *= perBodyByte
		}
		give, full := s.bodies.take(length)
		if full != nil {
			// Who still sends hears an answer only when all is sent; read so it takes no memory.
			_, _ = io.Copy(io.Discard, r.Body)
			return r, nil, errNoRoom()
		}
		h.done = append(h.done, give)
	}
	return r.WithContext(context.WithValue(r.Context(), keyHolder, h)), func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, give := range h.done {
			give()
		}
		h.done = nil
	}, nil
}

// hold waits for room for the work of a request, which keeps it to its end. What goes on in
// the background is bounded by how many of it there may be.
func (s *Server) hold(ctx context.Context, n int64) error {
	h, ok := ctx.Value(keyHolder).(*holder)
	if !ok || n <= smallBody*perFileByte {
		return nil
	}
	give, err := s.work.await(ctx, n, roomPatience)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done = append(h.done, give)
	return nil
}
