package biomarker

import (
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Persona is an invented member whose results tell a story, for developers to try
// their apps with.
type Persona struct {
	Key   string // such as "thyroid": of its address
	Name  string
	Sex   loop.Sex
	Story string // what the results show
	// Suspended: the account is, so that nobody can sign in to it.
	Suspended bool

	visits  []visit // none: there are no results
	courses map[Code]course
	atMost  int // results; 0: all
}

// Personas are the invented members with a story.
func Personas() []Persona {
	return []Persona{
		{
			Key: "thyroid", Name: "Tamsin Reed", Sex: loop.Female, visits: visits,
			Story: "An underactive thyroid that is found and treated: TSH falls from far above its range into it, antibodies stay high.",
			courses: map[Code]course{
				"tsh": {240, 55}, "free-t4": {-18, 45}, "free-t3": {-8, 42}, "tpo-antibodies": {600, 470}, "ldl-c": {128, 84},
			},
		},
		{
			Key: "anaemia", Name: "Ana Moreau", Sex: loop.Female, visits: visits,
			Story: "A lack of iron that is not treated: haemoglobin, MCV and ferritin stay below their ranges.",
			courses: map[Code]course{
				"haemoglobin": {-38, -24}, "haematocrit": {-30, -18}, "mcv": {-30, -22}, "rbc": {-10, -6}, "iron": {-34, -24},
				"tibc": {150, 132}, "ferritin": {-3, -2}, "platelets": {106, 101},
			},
		},
		{
			Key: "athlete", Name: "Amir Haddad", Sex: loop.Male, visits: visits,
			Story: "A runner: lipids and sugar at their best, liver enzymes and creatinine above their ranges after training, for no illness.",
			courses: map[Code]course{
				"hdl-c": {140, 150}, "ldl-c": {70, 62}, "triglycerides": {40, 36}, "glucose-fasting": {30, 28}, "hba1c": {55, 52}, "insulin-fasting": {15, 12},
				"alt": {118, 124}, "ast": {138, 142}, "creatinine": {108, 112}, "hs-crp": {6, 4}, "ferritin": {16, 12}, "testosterone-total": {58, 60}, "uric-acid": {70, 68},
			},
		},
		{
			Key: "prediabetes", Name: "Pedro Dias", Sex: loop.Male, visits: visits,
			Story: "Sugar that rises over two years: fasting glucose and HbA1c leave their ranges, triglycerides and liver enzymes with them.",
			courses: map[Code]course{
				"glucose-fasting": {92, 138}, "hba1c": {94, 130}, "insulin-fasting": {100, 150}, "triglycerides": {130, 175}, "hdl-c": {74, 62},
				"alt": {100, 128}, "ldl-c": {118, 130},
			},
		},
		{
			Key: "pregnancy", Name: "Priya Nair", Sex: loop.Female,
			Story:  "Nine months in five reports: haemoglobin, albumin and creatinine fall, lipids and white cells rise, which is normal then and outside of the usual ranges.",
			visits: []visit{{monthsAgo: 8}, {monthsAgo: 6}, {monthsAgo: 4}, {monthsAgo: 2}, {}},
			courses: map[Code]course{
				"haemoglobin": {48, -14}, "haematocrit": {44, -12}, "ferritin": {30, 1}, "albumin": {50, -12}, "creatinine": {44, -6}, "ldl-c": {84, 150},
				"triglycerides": {50, 165}, "wbc": {44, 118}, "tsh": {18, 40}, "iron": {50, 20}, "mcv": {52, 60},
			},
		},
		{Key: "empty", Name: "Emil Novak", Sex: loop.Male, Story: "No results yet: an empty list is an answer, not an error."},
		{
			Key: "suspended", Name: "Susan Lake", Sex: loop.Female, visits: visits, Suspended: true,
			Story: "The account is suspended: nobody can sign in to it, and apps that it had allowed get nothing.",
		},
		{
			Key: "many", Name: "Max Archer", Sex: loop.Male, visits: often(), atMost: 10_000,
			Story: "10,000 results, from a drawing every other week for eight years: for lists in pages, charts and patience.",
		},
	}
}

// often are visits every other week for eight years.
func often() []visit {
	const weeks = 8 * 52
	var all []visit
	for ago := weeks; ago >= 0; ago -= 2 {
		all = append(all, visit{daysAgo: 7 * ago})
	}
	return all
}

// Results makes up the persona's results, as Synthetic does: the same each time.
func (p Persona) Results(c *Catalogue, member loop.MemberID, until time.Time) ([]Result, error) {
	lab := laboratory{catalogue: c, sex: p.Sex, visits: p.visits, courses: p.courses, chance: chance("values of", p.Key), ids: chance("ids", string(member))}
	results, err := lab.work(until)
	if p.atMost > 0 && len(results) > p.atMost {
		results = results[len(results)-p.atMost:]
	}
	return results, err
}
