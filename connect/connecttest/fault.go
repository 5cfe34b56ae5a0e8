package connecttest

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Fault is what goes wrong with a request to the platform.
type Fault struct {
	// Path is of the requests that it is about, such as /v1/oauth/token; empty: all.
	Path string
	// Times is how many requests it is about; 0: all, until Faults are cleared.
	Times int
	// Share has it happen by chance: 0.3 is three requests in ten. 0: each time.
	Share float64

	// Status is answered in place of what was asked for, such as 429 or 503; 0: the
	// request is carried out.
	Status int
	// RetryAfter goes with it, in whole seconds; 0: there is none.
	RetryAfter time.Duration
	// Delay goes before.
	Delay time.Duration
	// Cut has the request carried out, and ends the connection before the answer is
	// sent.
	Cut bool
}

// faults are those that are set, in their order.
type faults struct {
	mu     sync.Mutex
	set    []*Fault
	random func() float64
}

func (f *faults) add(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set = append(f.set, &fault)
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set = nil
}

// next gives the fault of a request; nil where it has none.
func (f *faults) next(r *http.Request) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.set {
		if fault.Path != "" && fault.Path != r.URL.Path || fault.Share > 0 && f.random() >= fault.Share {
			continue
		}
		found := *fault
		if fault.Times == 1 {
			f.set = append(f.set[:i:i], f.set[i+1:]...)
		} else if fault.Times > 1 {
			fault.Times--
		}
		return &found
	}
	return nil
}

// before has requests meet their faults.
func (f *faults) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault := f.next(r)
		if fault == nil {
			next.ServeHTTP(w, r)
			return
		}
		if fault.Delay > 0 {
			select {
			case <-time.After(fault.Delay):
			case <-r.Context().Done():
			}
		}
		switch {
		case fault.Cut:
			next.ServeHTTP(nobody{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		case fault.Status != 0:
			if fault.RetryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(int((fault.RetryAfter+time.Second-1)/time.Second)))
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(fault.Status)
			_, _ = w.Write([]byte(`{"error":"temporarily_unavailable","error_description":"A fault of the test."}`))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// nobody takes an answer and drops it.
type nobody struct{ header http.Header }

// Header is written to, and not sent.
func (n nobody) Header() http.Header { return n.header }

// Write takes everything.
func (nobody) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader does nothing.
func (nobody) WriteHeader(int) {}
