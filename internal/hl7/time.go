package hl7

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// timestamp is the form of a time (HL7 v2, data types DTM and TS).
var timestamp = regexp.MustCompile(`^(\d{4})(\d{2})?(\d{2})?(?:(\d{2})(\d{2})?(\d{2}(?:\.\d{1,6})?)?)?([+-]\d{4})?$`)

// moment is a time as it is written: as exactly as is certain, in the form in which
// results have it; local is what was left out of it because its zone is not known.
type moment struct{ text, local string }

// readTime reads a time. Without a zone, and where none is usual for the sender, a time
// is certain to its date alone.
func readTime(text string, zone *time.Location) (moment, bool) {
	parts := timestamp.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil {
		return moment{}, false
	}
	year, month, day, hour := parts[1], parts[2], parts[3], parts[4]
	switch {
	case day == "" && (hour != "" || month == "" && parts[7] != ""):
		return moment{}, false
	case month == "":
		return moment{text: year}, true
	case day == "":
		return moment{text: year + "-" + month}, inCalendar(year + month + "01")
	case hour == "":
		return moment{text: year + "-" + month + "-" + day}, inCalendar(year + month + day)
	}
	clock := hour + ":" + or(parts[5], "00") + ":" + or(parts[6], "00")
	if offset, known := readOffset(parts[7]); known {
		zone = offset
	}
	if zone == nil {
		_, err := time.Parse(time.DateTime, year+"-"+month+"-"+day+" "+clock)
		return moment{text: year + "-" + month + "-" + day, local: clock}, err == nil
	}
	at, err := time.ParseInLocation(time.DateTime, year+"-"+month+"-"+day+" "+clock, zone)
	return moment{text: at.Format(time.RFC3339Nano)}, err == nil
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func inCalendar(date string) bool {
	_, err := time.Parse("20060102", date)
	return err == nil
}

// readOffset reads a zone such as -0500.
func readOffset(text string) (*time.Location, bool) {
	if len(text) != 5 {
		return nil, false
	}
	hours, hourErr := strconv.Atoi(text[1:3])
	minutes, minuteErr := strconv.Atoi(text[3:])
	if hourErr != nil || minuteErr != nil || hours > 14 || minutes > 59 {
		return nil, false
	}
	seconds := hours*3600 + minutes*60
	if text[0] == '-' {
		seconds = -seconds
	}
	return time.FixedZone(text, seconds), true
}

// zoneOf gives the zone that a message's own time names: it holds for its other times
// (HL7 v2 §2.15.9.7).
func zoneOf(sentAt string, otherwise *time.Location) *time.Location {
	if parts := timestamp.FindStringSubmatch(strings.TrimSpace(sentAt)); parts != nil {
		if zone, known := readOffset(parts[7]); known {
			return zone
		}
	}
	return otherwise
}
