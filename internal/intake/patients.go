package intake

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// ReadPatients reads who the patients of files are: a CSV file whose lines have a
// patient's id, as the files write it, and the member's.
func ReadPatients(r io.Reader) (map[string]loop.MemberID, error) {
	lines := csv.NewReader(r)
	lines.FieldsPerRecord = 2
	patients := make(map[string]loop.MemberID)
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return patients, nil
		}
		if err != nil {
			return nil, errors.New("the file of patients is not CSV with two columns: the patient's id and the member's")
		}
		line, _ := lines.FieldPos(0)
		patient, member := strings.TrimSpace(strings.TrimPrefix(fields[0], "\ufeff")), loop.MemberID(strings.TrimSpace(fields[1]))
		if line == 1 && !member.Valid() && strings.EqualFold(patient, "patient") {
			continue // the header
		}
		_, twice := patients[patient]
		switch {
		case patient == "" || !member.Valid():
			return nil, fmt.Errorf("the file of patients, line %d: a line has a patient's id and a member's, such as user_01K…", line)
		case twice:
			return nil, fmt.Errorf("the file of patients, line %d: this patient is there twice", line)
		}
		patients[patient] = member
	}
}
