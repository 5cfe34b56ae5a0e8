package biomarker

import "github.com/loop-health/loop/internal/loop"

// visit is one drawing of blood.
type visit struct {
	monthsAgo int
	short     bool // a follow-up, with part of what is measured once a year
	daysAgo   int  // besides the months
}

var visits = []visit{{monthsAgo: 24}, {monthsAgo: 18, short: true}, {monthsAgo: 12}, {monthsAgo: 6, short: true}, {}}

// track is what happens to one biomarker over the visits.
type track struct {
	code       Code
	short      bool // measured at follow-ups too
	woman, man course
}

// course is where in the interval the value lies at the first and at the last
// visit, in per cent; below 0 and above 100 it is outside.
type course struct{ first, last int64 }

func (t track) course(sex loop.Sex) course {
	if sex == loop.Male {
		return t.man
	}
	return t.woman
}

// at is where it lies at one of several visits.
func (c course) at(visit, of int) int64 {
	return c.first + (c.last-c.first)*int64(visit)/int64(of-1)
}

// tracks is the history: she recovers from a lack of iron, with a thyroid that
// is watched; he brings down his lipids, with sugar that slowly rises. What is
// worked out from others stands behind them.
var tracks = []track{
	{"hdl-c", true, course{124, 130}, course{92, 112}},
	{"ldl-c", true, course{88, 82}, course{165, 92}},
	{"triglycerides", true, course{52, 48}, course{150, 98}},
	{"cholesterol-total", true, course{}, course{}},
	{"non-hdl-c", true, course{}, course{}},
	{"cholesterol-hdl-ratio", false, course{}, course{}},
	{"apob", false, course{86, 80}, course{140, 95}},
	{"lipoprotein-a", false, course{30, 30}, course{140, 138}},
	{"glucose-fasting", true, course{50, 55}, course{80, 122}},
	{"hba1c", true, course{70, 72}, course{84, 112}},
	{"insulin-fasting", false, course{35, 33}, course{62, 80}},
	{"tsh", true, course{118, 62}, course{48, 45}},
	{"free-t4", true, course{30, 45}, course{55, 55}},
	{"free-t3", false, course{35, 48}, course{60, 58}},
	{"tpo-antibodies", false, course{190, 150}, course{8, 8}},
	{"testosterone-total", false, course{45, 42}, course{8, 32}},
	{"shbg", false, course{48, 50}, course{22, 30}},
	{"cortisol-am", false, course{60, 58}, course{64, 50}},
	{"alt", true, course{28, 30}, course{118, 60}},
	{"ast", true, course{30, 32}, course{88, 52}},
	{"ggt", false, course{26, 24}, course{105, 70}},
	{"bilirubin-total", false, course{40, 40}, course{50, 48}},
	{"albumin", false, course{48, 50}, course{46, 48}},
	{"creatinine", true, course{44, 46}, course{58, 60}},
	{"egfr", true, course{165, 163}, course{140, 138}},
	{"bun", false, course{42, 44}, course{56, 58}},
	{"uric-acid", false, course{40, 42}, course{110, 90}},
	{"sodium", true, course{50, 52}, course{46, 50}},
	{"potassium", true, course{46, 48}, course{50, 52}},
	{"chloride", false, course{48, 50}, course{50, 50}},
	{"calcium", false, course{50, 52}, course{48, 50}},
	{"magnesium", false, course{44, 46}, course{42, 44}},
	{"wbc", false, course{36, 38}, course{42, 40}},
	{"rbc", false, course{30, 46}, course{50, 50}},
	{"haemoglobin", true, course{-14, 48}, course{52, 54}},
	{"haematocrit", true, course{-8, 44}, course{46, 48}},
	{"mcv", true, course{-6, 52}, course{54, 52}},
	{"platelets", false, course{52, 46}, course{38, 40}},
	{"iron", true, course{-18, 48}, course{50, 52}},
	{"tibc", false, course{112, 60}, course{48, 50}},
	{"ferritin", true, course{-2, 14}, course{40, 42}},
	{"vitamin-d-25-oh", true, course{-30, 42}, course{-42, 20}},
	{"vitamin-b12", false, course{36, 40}, course{44, 46}},
	{"folate", false, course{46, 48}, course{40, 42}},
	{"hs-crp", true, course{8, 5}, course{96, 60}},
	{"homocysteine", false, course{42, 40}, course{78, 66}},
	{"d-dimer", false, course{24, 24}, course{36, 38}},
	{"urine-albumin-creatinine", false, course{20, 20}, course{40, 62}},
	{"urine-creatinine", false, course{96, 104}, course{141, 133}},
}

// incident is a single value out of line at one visit.
type incident struct {
	sex   loop.Sex
	visit int
	code  Code
}

// odd is the value then.
type odd struct {
	value string
	flag  Status
}

// incidents are samples that lay too long: hers flagged by the laboratory, his
// an alarm by the catalogue.
var incidents = map[incident]odd{
	{loop.Female, 1, "potassium"}: {"6.2", Critical},
	{loop.Male, 3, "potassium"}:   {"6.8", Unset},
}

// methods is what the laboratory's methods can measure, from and to. Values
// beyond are given with a comparator.
var methods = map[Code][2]string{
	"hs-crp":                   {"0.20", ""},
	"tpo-antibodies":           {"1.0", ""},
	"d-dimer":                  {"150", ""},
	"urine-albumin-creatinine": {"7", ""},
	"egfr":                     {"", "90"},
}

// ownIntervals are those that the laboratory brings with its results.
var ownIntervals = map[Code][2]string{
	"tsh":             {"0.45", "4.50"},
	"free-t4":         {"0.82", "1.77"},
	"glucose-fasting": {"65", "99"},
	"vitamin-d-25-oh": {"30.0", "100.0"},
	"vitamin-b12":     {"232", "1245"},
	"hs-crp":          {"", "3.00"},
}
