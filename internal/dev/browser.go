package dev

import (
	"cmp"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
)

// browserNames are what Chromium and Chrome are called in a PATH.
var browserNames = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// browserPlaces are where they are on a Mac.
var browserPlaces = []string{
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	"/Applications/Chromium.app/Contents/MacOS/Chromium",
}

// Browse opens an address, or "portal" or "docs" by name, in an installed Chromium or Chrome that can reach
// the platform and trusts it (`loop dev browser`). The browser has a profile
// of its own in the state folder: nothing is changed in the user's. On Unix it
// replaces this process.
func (i *Instance) Browse(address string, given Environment) (status int, err error) {
	address = i.page(address)
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
		return 1, fmt.Errorf("%q is not a web address: give portal, docs, or an address such as http://localhost:5000/login", address)
	}
	browser := findBrowser(given)
	if browser == "" {
		return 1, i.withoutBrowser(address)
	}
	args, err := i.browserArguments(address)
	if err != nil {
		return 1, err
	}
	status, err = execute(browser, append([]string{browser}, args...), given)
	if err != nil {
		return 1, fmt.Errorf("the browser %s can't be started: %w", browser, err)
	}
	return status, nil
}

// page is the address of a page that has a name; any other text stays as it is. Without
// a name it is what there is to see first.
func (i *Instance) page(name string) string {
	portal := i.Status.Addresses["developers"]
	switch name {
	case "":
		return cmp.Or(i.Status.Addresses["quickstart"], portal)
	case "portal":
		return portal
	case "docs":
		return portal + "/docs"
	}
	return name
}

// browserArguments are Chromium's flags. The authority is named by its key's
// hash, which holds for this profile alone; no trust store is touched.
func (i *Instance) browserArguments(address string) ([]string, error) {
	args := []string{
		"--user-data-dir=" + filepath.Join(i.Folder, "browser"),
		"--no-first-run",
		"--no-default-browser-check",
		"--disable-sync",
	}
	if i.Status.Domain != "" {
		hash, err := keyHashOf(filepath.Join(i.Folder, authorityFile))
		if err != nil {
			return nil, err
		}
		args = append(args, "--proxy-pac-url="+i.autoConfigurationURL(), "--ignore-certificate-errors-spki-list="+hash)
	}
	return append(args, address), nil
}

func (i *Instance) autoConfigurationURL() string {
	return i.Status.Addresses["proxy"] + "/proxy.pac"
}

// withoutBrowser says how to do by hand what can't be done here.
func (i *Instance) withoutBrowser(address string) error {
	if i.Status.Domain == "" {
		return fmt.Errorf("no Chromium or Chrome was found: open %s in the browser that you have", address)
	}
	return fmt.Errorf("no Chromium or Chrome was found: in Firefox, set the automatic proxy configuration URL to %s (Settings, Network Settings), "+
		"import %s as an authority that identifies websites (Settings, Privacy & Security, View Certificates, Authorities), then open %s",
		i.autoConfigurationURL(), filepath.Join(i.Folder, authorityFile), address)
}

// findBrowser gives the first browser that is installed, or nothing.
func findBrowser(env Environment) string {
	for _, name := range browserNames {
		if path, err := lookPath(name, env); err == nil {
			return path
		}
	}
	if runtime.GOOS != "darwin" {
		return ""
	}
	for _, place := range append(browserPlaces, filepath.Join(env.Get("HOME"), browserPlaces[0])) {
		if path, err := lookPath(place, env); err == nil {
			return path
		}
	}
	return ""
}
