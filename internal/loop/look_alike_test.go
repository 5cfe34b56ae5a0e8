package loop_test

import (
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

// faultOfName is what is said of an app's name; empty: it is taken.
func faultOfName(name string, firstParty bool) string {
	for _, err := range (&loop.Client{Name: name, FirstParty: firstParty}).Validate() {
		if fault := loop.AsError(err); fault.Field == "client_name" {
			return fault.Description
		}
	}
	return ""
}

func TestSec193_NoOtherAppIsCalledLoopInAnySpelling(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Loop", "loop", "LOOP", "L00p", "1oop", "|oop", "Loop developers", "Loop Health", "Connect with Loop", "MyLoop", "LoopHealth", "Loop's lab", "Loop-Labs", "Loop2",
		"L.o.o.p", "L o o p", "Lööp", "Łoop", "Løøp", "ʟᴏᴏᴘ", "Lοοp", "ӏоор", "ΙΟΟΡ", "ꓡꓳꓳꓑ", "ⲗⲟⲟⲣ", "ᏞᎤᎤᏢ", "Ioop",
	} {
		if fault := faultOfName(name, false); fault == "" {
			t.Errorf("%q is taken", name)
		}
	}
	for _, name := range []string{"Loop", "Loop developers"} {
		if fault := faultOfName(name, true); fault != "" {
			t.Errorf("%q is refused to Loop itself: %s", name, fault)
		}
	}
}

func TestSec193_LettersOfASpecialFormAreRefusedForWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Ｌｏｏｐ", "𝐋𝐨𝐨𝐩", "𝓛𝓸𝓸𝓹", "Ⅼoop", "ﬁtness", "Lab Ⅳ", "Ｌａｂｓ ２"} {
		if fault := faultOfName(name, false); !strings.Contains(fault, "special form") {
			t.Errorf("%q: %q", name, fault)
		}
	}
}

func TestSec194_NoNameHoldsAFiller(t *testing.T) {
	t.Parallel()
	for _, filler := range []string{"\u3164", "\uffa0", "\u1160", "\u115f", "\u2800", "\u034f", "\ufe0f", "\u17b4"} {
		if fault := faultOfName("Labs"+filler, false); !strings.Contains(fault, "shows nothing") {
			t.Errorf("%U: %q", []rune(filler)[0], fault)
		}
	}
}

func TestSec195_NoNameClaimsACheck(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Labs (verified)", "Labs · Verified by us", "Official Labs", "OfficialLabs", "0fficial Labs", "VERlFlED Labs", "Labs, zertifiziert", "Geprüfte Werte"} {
		if fault := faultOfName(name, false); !strings.Contains(fault, "claims a check") {
			t.Errorf("%q: %q", name, fault)
		}
	}
}

func TestNames_OfAllScriptsAreTaken(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Labs", "Loophole", "Looper", "Polo", "Pool", "Bloop", "Interloop", "Verity", "Office 21", "Crème fraîche", "Łódź Labs", "Größe", "Smørrebrød", "Þór", "Labs 100",
		"Лаборатория", "Здоровье", "Εργαστήριο", "Υγεία", "בריאות", "صحة", "健康データ", "けんこう", "건강", "ሕክምና", "स्वास्थ्य", "สุขภาพ", "Առողջություն", "ჯანმრთელობა",
	} {
		if fault := faultOfName(name, false); fault != "" {
			t.Errorf("%q is refused: %s", name, fault)
		}
	}
}
