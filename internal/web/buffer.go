package web

import (
	"net/http"
	"sync"
)

// Buffer is an answer's body as it grows. Once the answer is sent, the buffer is used
// for another one; one that is never sent is simply dropped.
type Buffer struct{ Body []byte }

// keptBuffer is how large a buffer may grow and still be used again, in bytes: a few
// long answers MUST NOT fill the memory for good.
const keptBuffer = 128 << 10

var buffers = sync.Pool{New: func() any { return new(Buffer) }}

// TakeBuffer gives an empty buffer.
func TakeBuffer() *Buffer {
	b := buffers.Get().(*Buffer) //nolint:forcetypeassert // it holds buffers alone
	b.Body = b.Body[:0]
	return b
}

// SendJSON answers with what is in the buffer, which is JSON. The buffer is then gone.
//
// Where writing fails, the buffer is not used again: over HTTP/2 a stream can be reset
// while its last frame is still being written, and what is written over then would go
// to whoever reset it.
func (b *Buffer) SendJSON(w http.ResponseWriter, status int) {
	if writeJSON(w, status, b.Body) == nil && cap(b.Body) <= keptBuffer {
		buffers.Put(b)
	}
}
