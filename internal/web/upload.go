package web

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/loop"
)

// maxParts bounds the fields of a form with a file.
const maxParts = 16

// Upload reads a form with a file (multipart/form-data, RFC 7578): its fields, and the
// bytes of the file in the field of that name; nil: none was chosen. All of it together
// may be as long as limit. Nothing is written to disk.
func Upload(w http.ResponseWriter, r *http.Request, name string, limit int64) (fields url.Values, file []byte, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, loop.Errorf(loop.UnsupportedMediaType, "Send this form as multipart/form-data.")
	}
	fields = make(url.Values)
	for range maxParts {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, file, nil
		}
		if err != nil {
			return nil, nil, uploadFault(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, uploadFault(err)
		}
		if !takePart(fields, &file, part, name, content) {
			return nil, nil, loop.Errorf(loop.InvalidRequest, "A field of this form was sent twice.")
		}
	}
	return nil, nil, loop.Errorf(loop.InvalidRequest, "The form has too many fields.")
}

// takePart takes in one part; false where its field is there already.
func takePart(fields url.Values, file *[]byte, part *multipart.Part, name string, content []byte) bool {
	if part.FormName() != name {
		twice := fields.Has(part.FormName())
		fields.Set(part.FormName(), string(content))
		return !twice
	}
	twice := *file != nil
	if part.FileName() != "" || len(content) > 0 {
		*file = content
	}
	return !twice
}

func uploadFault(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return loop.Errorf(loop.PayloadTooLarge, "The file is too large: with all else in the form %d bytes are taken.", tooLarge.Limit)
	}
	return loop.Errorf(loop.InvalidRequest, "The form ended before it was complete. Send it again.").Because(err)
}
