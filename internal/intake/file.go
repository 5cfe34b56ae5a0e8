package intake

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/loop-health/loop/internal/biomarker"
)

// File is a file of results: a document, or a zip of documents.
type File struct {
	Name string
	Size int64
	io.ReaderAt
}

// Bounds of a zip: how many files, and how many bytes they may have once they are
// opened, for each byte of the zip and in any case.
const (
	maxZipFiles  = 100_000
	maxZipRatio  = 100
	freeZipBytes = 64 << 20
)

// document is one document of a file.
type document struct {
	name  string // of the file, and in a zip of the file in it
	open  func() (io.ReadCloser, error)
	alone bool // its patients are not those of the file's other documents
}

// appleHealth is the folder in an Apple Health export that has FHIR resources, a file
// each, from every institution that the person has connected.
const appleHealth = "clinical-records/"

// documents lists the documents of a file, and the files of a zip that are none.
func (f *File) documents() (documents []document, passedOver []string, err error) {
	head := make([]byte, 4)
	if _, err := f.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("%s can't be read: %w", f.Name, err)
	}
	if !bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return []document{{name: f.Name, open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(f, 0, f.Size)), nil
		}}}, nil, nil
	}
	archive, err := zip.NewReader(f, f.Size)
	if err != nil {
		return nil, nil, f.malformed(biomarker.RefuseDocument("", "this is no whole zip file"))
	}
	if len(archive.File) > maxZipFiles {
		return nil, nil, f.malformed(biomarker.RefuseDocument("", "a zip has at most %d files", maxZipFiles))
	}
	left := f.Size*maxZipRatio + freeZipBytes
	for _, inner := range archive.File {
		if strings.HasSuffix(inner.Name, "/") {
			continue
		}
		if !isDocument(inner.Name) {
			passedOver = append(passedOver, f.Name+"/"+inner.Name)
			continue
		}
		documents = append(documents, document{
			name:  f.Name + "/" + inner.Name,
			alone: strings.Contains("/"+inner.Name, "/"+appleHealth),
			open:  func() (io.ReadCloser, error) { return openInner(inner, &left) },
		})
	}
	if len(documents) == 0 {
		return nil, nil, f.malformed(biomarker.RefuseDocument("", "there is no .json, .ndjson, .hl7 or .csv file in it"))
	}
	return documents, passedOver, nil
}

// isDocument: Apple Health's other files, such as export.xml, hold no lab results.
func isDocument(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".json", ".ndjson", ".jsonl", ".hl7", ".csv", ".tsv":
		return true
	}
	return false
}

// openInner opens a file of a zip, which may not be longer than what is left. Nothing
// is read of the length that the zip states: that need not be true.
func openInner(inner *zip.File, left *int64) (io.ReadCloser, error) {
	r, err := inner.Open()
	if err != nil {
		return nil, biomarker.RefuseDocument("", "it can't be unpacked")
	}
	return &innerReader{r, left}, nil
}

type innerReader struct {
	io.ReadCloser
	left *int64
}

// Read reads what is left to be read of the zip.
func (r *innerReader) Read(p []byte) (int, error) {
	if *r.left <= 0 {
		return 0, biomarker.RefuseDocument("", "the zip unpacks to more than %d times its size", maxZipRatio)
	}
	n, err := r.ReadCloser.Read(p)
	*r.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = biomarker.RefuseDocument("", "it can't be unpacked: the zip is damaged")
	}
	return n, err
}

func (f *File) malformed(err error) error { return fmt.Errorf("%s: %w", f.Name, err) }
