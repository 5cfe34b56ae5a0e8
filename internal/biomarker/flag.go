package biomarker

import "strings"

// flags are the codes of a laboratory's flag that say where a value lies (HL7 table
// 0078 and v3 ObservationInterpretation). Others, such as A for abnormal or < for
// below what can be measured, say something else.
var flags = map[string]Status{
	"N": Normal, "L": Low, "H": High, "LL": Critical, "HH": Critical,
}

// ReadFlag gives what a laboratory's flag says of where a value lies; not known where
// it says something else.
func ReadFlag(code string) (flag Status, known bool) {
	flag, known = flags[strings.TrimSpace(code)]
	return flag, known
}
