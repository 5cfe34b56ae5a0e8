package dev

import (
	"runtime"
	"slices"
	"strings"
)

// Environment is the variables of a process, as NAME=value.
type Environment []string

// Get gives a variable's value, empty where it is not set.
func (e Environment) Get(name string) string {
	for _, entry := range slices.Backward(e) { // the last one wins, as in a shell
		if key, value, _ := strings.Cut(entry, "="); sameName(key, name) {
			return value
		}
	}
	return ""
}

// Set puts a variable in place of all of its name.
func (e *Environment) Set(name, value string) {
	e.Unset(name)
	*e = append(*e, name+"="+value)
}

// Unset takes every variable of the name out.
func (e *Environment) Unset(name string) {
	*e = slices.DeleteFunc(*e, func(entry string) bool {
		key, _, _ := strings.Cut(entry, "=")
		return sameName(key, name)
	})
}

func sameName(a, b string) bool {
	return a == b || runtime.GOOS == "windows" && strings.EqualFold(a, b)
}

// appVariables say which app a program is at Loop.
var appVariables = []string{"LOOP_CLIENT_ID", "LOOP_CLIENT_SECRET", "LOOP_REDIRECT_URI"}

// ownApp gives the id of the app that an environment names itself, such as one
// that was registered at the portal; empty where it is the ready-made one or none.
func ownApp(given Environment, readyMade []Variable) string {
	id := given.Get("LOOP_CLIENT_ID")
	if slices.Contains(readyMade, Variable{"LOOP_CLIENT_ID", id}) {
		return ""
	}
	return id
}

// Environment is that of a program that runs inside the platform's world: the
// given one, with the settings of dev.env (but for the app's, where it names an app
// itself) and, under the real host names, with the proxy and the local authority.
// It writes the bundle of roots to the state folder. own is the id of an app that
// is not the ready-made one.
func (i *Instance) Environment(given Environment) (env Environment, own string, err error) {
	env = slices.Clone(given)
	variables, err := ReadVariables(i.Folder)
	if err != nil {
		return nil, "", err
	}
	own = ownApp(given, variables)
	for _, v := range variables {
		if own == "" || !slices.Contains(appVariables, v.Name) {
			env.Set(v.Name, v.Value)
		}
	}
	if i.Status.Domain == "" {
		return env, own, nil
	}
	bundle, err := writeBundle(i.Folder, given)
	if err != nil {
		return nil, "", err
	}
	for _, name := range certificateVariables {
		env.Set(name, bundle)
	}
	env.Unset("SSL_CERT_DIR") // its certificates are in the bundle

	direct := noProxy(firstSet(given, "no_proxy", "NO_PROXY"), i.Status.Domain)
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		env.Set(name, i.Status.Addresses["proxy"])
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		env.Set(name, direct)
	}
	env.Set("NODE_USE_ENV_PROXY", "1") // without it, Node's fetch does not look at HTTPS_PROXY
	return env, own, nil
}

// noProxy keeps the hosts that the user reaches directly, but for the
// platform's own, and adds this machine.
func noProxy(given, domain string) string {
	var direct []string
	for entry := range strings.SplitSeq(given, ",") {
		entry = strings.TrimSpace(entry)
		suffix := strings.TrimLeft(strings.ToLower(entry), "*.")
		if entry != "" && suffix != "" && suffix != domain && !strings.HasSuffix(domain, "."+suffix) && !strings.HasSuffix(suffix, "."+domain) {
			direct = append(direct, entry)
		}
	}
	for _, own := range []string{"localhost", "127.0.0.1", "::1"} {
		if !slices.Contains(direct, own) {
			direct = append(direct, own)
		}
	}
	return strings.Join(direct, ",")
}

func firstSet(env Environment, names ...string) string {
	for _, name := range names {
		if value := env.Get(name); value != "" {
			return value
		}
	}
	return ""
}
