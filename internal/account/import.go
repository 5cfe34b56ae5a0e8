package account

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

const (
	importPath = "/account/results/import"
	// maxUpload bounds a file, maxImportForm the form that carries it back, sealed.
	maxUpload     = 1 << 20
	maxImportForm = maxUpload*3/2 + 64<<10
	// uploadSource is where results say that they come from.
	uploadSource = "my-upload"
	// previewLife is how long a member may look at a preview.
	previewLife = time.Hour
)

// importView is the data of import.html.
type importView struct {
	web.AccountFrame
	Sealed string // the file, while its preview is shown
	Report *importReport
	Kept   bool // it was imported
	Fault  *loop.Error
	Detail string // what is wrong with a file, in English, as for apps
}

// importReport is what became, or would become, of a file.
type importReport struct {
	Kept, Duplicate, Aside, Refused int
	Places                          []importPlace
	More                            int
}

type importPlace struct {
	Place, Reason string
	Code          string // one that nobody knows
}

func (h *Host) mountImport(site *web.Site) {
	if h.Imports == nil {
		return
	}
	site.Page("GET "+importPath, h.own(h.showImport))
	site.Page("POST "+importPath, h.postImport)
}

// showImport answers GET /account/results/import: a form for a file.
func (h *Host) showImport(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	return h.importPage(w, r, m, importView{})
}

func (h *Host) importPage(w http.ResponseWriter, r *http.Request, m *loop.Member, view importView) error {
	view.AccountFrame = h.frame(w, r, "results", m)
	return h.Visitors.Show(w, r, h.ownPages, "import", view, view.Fault)
}

// postImport answers POST /account/results/import: first a preview of a file, which
// keeps nothing and carries the file on, sealed; then, on the member's word, the import.
// Sent twice, the second adds nothing.
func (h *Host) postImport(w http.ResponseWriter, r *http.Request) error {
	form, file, err := web.Upload(w, r, "file", maxImportForm)
	if err != nil {
		return err
	}
	if err := h.Visitors.CheckForm(r, form); err != nil {
		return err
	}
	return h.own(func(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
		preview := form.Get("sealed") == ""
		if !preview {
			if file, err = h.openUpload(m, form.Get("sealed")); err != nil {
				return h.importFault(w, r, m, errPreviewOver)
			}
		}
		switch {
		case len(file) == 0:
			return h.importFault(w, r, m, errNoFile)
		case len(file) > maxUpload:
			return h.importFault(w, r, m, errLargeFile)
		}
		return h.importUpload(w, r, m, file, preview)
	})(w, r)
}

var (
	errNoFile      = loop.Errorf(loop.ValidationError, "Choose a file first.").Worded("import.no_file")
	errLargeFile   = loop.Errorf(loop.ValidationError, "A file has at most 1 MB.").Worded("import.large")
	errDamaged     = loop.Errorf(loop.ValidationError, "This file can't be read as a whole. Nothing was kept.").Worded("import.damaged")
	errPreviewOver = loop.Errorf(loop.ValidationError, "This preview is over. Choose the file again.").Worded("import.over")
)

func (h *Host) importFault(w http.ResponseWriter, r *http.Request, m *loop.Member, fault *loop.Error) error {
	return h.importPage(w, r, m, importView{Fault: fault})
}

func (h *Host) importUpload(w http.ResponseWriter, r *http.Request, m *loop.Member, file []byte, preview bool) error {
	by := intake.Sender{Actor: byMember(m)}
	options := intake.Options{Member: m.ID, Source: uploadSource, DryRun: preview}
	report, err := h.Imports.ImportSent(r.Context(), by, intake.File{Name: "file", Size: int64(len(file)), ReaderAt: bytes.NewReader(file)}, options)
	if fault, ok := errors.AsType[*loop.Error](err); ok && fault.Code == loop.ValidationError {
		return h.importPage(w, r, m, importView{Fault: errDamaged, Detail: fault.Description})
	}
	if err != nil {
		return err
	}
	view := importView{Report: newImportReport(&report), Kept: !preview}
	if preview {
		if view.Sealed, err = h.sealUpload(m, file); err != nil {
			return err
		}
	}
	return h.importPage(w, r, m, view)
}

func newImportReport(report *intake.Report) *importReport {
	shown := &importReport{
		Kept:      int(report.Counts[intake.Kept] + report.Counts[intake.Corrected] + report.Counts[intake.Deleted]),
		Duplicate: int(report.Counts[intake.Duplicate]), Aside: int(report.Counts[intake.Aside]), Refused: int(report.Counts[intake.Refused]), More: report.More,
	}
	for _, line := range report.Lines {
		place := strings.TrimPrefix(line.File+", "+line.Place, "file, ")
		shown.Places = append(shown.Places, importPlace{strings.TrimPrefix(place, "file/"), line.Reason, line.Name.Code})
	}
	return shown
}

// sealUpload seals a file for the page: for its member, and for a while.
func (h *Host) sealUpload(m *loop.Member, file []byte) (string, error) {
	var packed bytes.Buffer
	packed.WriteString(string(m.ID) + "\n" + h.world.Now().Add(previewLife).UTC().Format(time.RFC3339) + "\n")
	zip := gzip.NewWriter(&packed)
	if _, err := zip.Write(file); err != nil {
		return "", err
	}
	if err := zip.Close(); err != nil {
		return "", err
	}
	return h.Uploads.Seal(packed.Bytes()), nil
}

// openUpload opens what sealUpload made for this member, while it lasts.
func (h *Host) openUpload(m *loop.Member, sealed string) ([]byte, error) {
	packed, err := h.Uploads.Open(sealed)
	if err != nil {
		return nil, err
	}
	parts := bytes.SplitN(packed, []byte("\n"), 3)
	if len(parts) != 3 || string(parts[0]) != string(m.ID) {
		return nil, errPreviewOver
	}
	if until, err := time.Parse(time.RFC3339, string(parts[1])); err != nil || h.world.Now().After(until) {
		return nil, errPreviewOver
	}
	zip, err := gzip.NewReader(bytes.NewReader(parts[2]))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(zip, maxUpload+1))
}
