package loop

import "testing"

func TestNames_RFC5892_A1_A2_JoinersBelongWhereTheirScriptUsesThem(t *testing.T) {
	t.Parallel()
	for label, c := range map[string]struct {
		name    string
		refused bool
	}{
		"Persian, A.1 between joining letters":   {name: "علی\u200cرضا"},
		"Sinhala, A.2 after a virama":            {name: "ශ්\u200dරියානි"},
		"Malayalam, A.2 at the end":              {name: "അനിവര്\u200d"},
		"Devanagari, A.1 after a virama":         {name: "क्\u200cष"},
		"Devanagari, marks of its own":           {name: "हिन्दी क्लिनिक"},
		"Thai, two marks on one letter":          {name: "ที่นี่"},
		"two words, one with a joiner":           {name: "دکتر علی\u200cرضا"},
		"a non-joiner between Latin letters":     {name: "Lo\u200cop", refused: true},
		"a joiner between Latin letters":         {name: "La\u200dbs", refused: true},
		"a joiner first":                         {name: "\u200dശ", refused: true},
		"a non-joiner last":                      {name: "علی\u200c", refused: true},
		"a joiner by itself":                     {name: "Labs \u200d", refused: true},
		"a joiner between Arabic letters":        {name: "علی\u200dرضا", refused: true},
		"two non-joiners":                        {name: "علی\u200c\u200cرضا", refused: true},
		"a joiner in a word as domain names are": {name: "xn--a\u200db", refused: true},
		"a zero-width space":                     {name: "علی\u200bرضا", refused: true},
		"a change of direction":                  {name: "Labs\u202e", refused: true},
	} {
		if fault := validateName(c.name, false); (fault != "") != c.refused {
			t.Errorf("an app, %s: %q", label, fault)
		}
		if _, err := ParseName(c.name); (err != nil) != c.refused {
			t.Errorf("a member, %s: %v", label, err)
		}
	}
}

func TestNames_MarksStandOnLettersOfTheirScript(t *testing.T) {
	t.Parallel()
	for label, name := range map[string]string{
		"a Thai mark on a Latin letter":    "Loop\u0e34",
		"an accent by itself":              "Loo\u0307p",
		"a mark at the beginning":          "\u0dd2ශ",
		"a mark after a space":             "ශ \u0dd2",
		"a circle around a letter":         "L\u20dd",
		"more marks than any spelling has": "ก\u0e34\u0e34\u0e34\u0e34\u0e34",
	} {
		if fault := validateName(name, false); fault == "" {
			t.Errorf("%s: %q is a name", label, name)
		}
	}
}
