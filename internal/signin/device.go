package signin

import (
	"cmp"
	"strings"
)

// Device is a browser in two words that we chose, such as "Firefox Android": all that
// is kept of what it says of itself. It helps members to find their own again and
// proves nothing.
type Device string

// Browser is the browser's name; empty: one that we don't know.
func (d Device) Browser() string {
	browser, _, _ := strings.Cut(string(d), " ")
	return browser
}

// String names both for a letter; an unknown one is a dash.
func (d Device) String() string { return cmp.Or(strings.TrimSpace(string(d)), "–") }

// System is the operating system's name; empty: one that we don't know.
func (d Device) System() string {
	_, system, _ := strings.Cut(string(d), " ")
	return system
}

// named is a word by which a User-Agent header shows a name.
type named struct{ word, name string }

// Most browsers claim to be others too, so the first word that is there decides.
var (
	browsers = []named{
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung"},
		{"Vivaldi/", "Vivaldi"},
		{"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
	}
	systems = []named{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"CrOS", "ChromeOS"},
		{"Windows", "Windows"},
		{"Macintosh", "macOS"},
		{"Linux", "Linux"},
	}
)

// DeviceOf reads a User-Agent header. Names are ours: nothing of the header is kept.
func DeviceOf(agent string) Device {
	browser, system := nameIn(agent, browsers), nameIn(agent, systems)
	if browser == "" && system == "" {
		return ""
	}
	return Device(browser + " " + system)
}

func nameIn(agent string, all []named) string {
	for _, one := range all {
		if strings.Contains(agent, one.word) {
			return one.name
		}
	}
	return ""
}
