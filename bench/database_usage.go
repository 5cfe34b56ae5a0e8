package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc.
const tick = time.Second / 100

// databaseProcessor is the processor time that the database's server has taken, all of
// its processes together; 0 on SQLite, which works in the platform's own process, and
// where there is no /proc.
func (p *platform) databaseProcessor() time.Duration {
	if p.cluster == nil {
		return 0
	}
	first, err := os.ReadFile(filepath.Join(p.cluster.Folder, "postmaster.pid"))
	if err != nil {
		return 0
	}
	pid, _, _ := strings.Cut(string(first), "\n")
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%s/task/%s/children", pid, pid))
	total := processorOf(pid)
	for child := range strings.FieldsSeq(string(children)) {
		total += processorOf(child)
	}
	return total
}

// processorOf is the time of a process and of its children that have ended: the fields
// utime to cstime of /proc/PID/stat, behind the name in parentheses.
func processorOf(pid string) (total time.Duration) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	for i := 11; i < 15 && i < len(fields); i++ {
		ticks, _ := strconv.Atoi(fields[i])
		total += time.Duration(ticks) * tick
	}
	return total
}
