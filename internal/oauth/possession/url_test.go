package possession

import "testing"

func TestNormalURL(t *testing.T) {
	t.Parallel()
	const own = "https://clinical.platform.test/v1/biomarkers/me"
	for name, test := range map[string]struct {
		sent string
		same bool
	}{
		"as it is": {own, true},
		"RFC 9449 §4.3 query and fragment don't count":        {own + "?limit=1#x", true},
		"RFC 3986 §6.2.2.1 scheme and host in capitals":       {"HTTPS://Clinical.Platform.TEST/v1/biomarkers/me", true},
		"RFC 3986 §6.2.2.2 letters that need no escape":       {"https://clinical.platform.test/v1/%62io%6Darkers/me", true},
		"RFC 3986 §6.2.2.3 a dot segment":                     {"https://clinical.platform.test/v1/./biomarkers/me", true},
		"RFC 3986 §6.2.2.3 two dots":                          {"https://clinical.platform.test/x/../v1/biomarkers/me", true},
		"RFC 3986 §6.2.2 two dots, escaped":                   {"https://clinical.platform.test/x/%2e%2E/v1/biomarkers/me", true},
		"RFC 3986 §6.2.3 the default port":                    {"https://clinical.platform.test:443/v1/biomarkers/me", true},
		"RFC 3986 §6.2.3 an empty port":                       {"https://clinical.platform.test:/v1/biomarkers/me", true},
		"above the root are no folders":                       {"https://clinical.platform.test/../../v1/biomarkers/me", true},
		"the default port of another scheme":                  {"https://clinical.platform.test:80/v1/biomarkers/me", false},
		"another port":                                        {"https://clinical.platform.test:8443/v1/biomarkers/me", false},
		"another scheme":                                      {"http://clinical.platform.test/v1/biomarkers/me", false},
		"the path in capitals":                                {"https://clinical.platform.test/V1/biomarkers/me", false},
		"a slash at the end":                                  {own + "/", false},
		"two slashes":                                         {"https://clinical.platform.test//v1/biomarkers/me", false},
		"RFC 3986 §6.2.2.2 an escaped slash is no slash":      {"https://clinical.platform.test/v1%2Fbiomarkers/me", false},
		"another host":                                        {"https://clinical.platform.test.evil.example/v1/biomarkers/me", false},
		"a user name":                                         {"https://x@clinical.platform.test/v1/biomarkers/me", false},
		"an empty user name":                                  {"https://@clinical.platform.test/v1/biomarkers/me", false},
		"a path alone":                                        {"/v1/biomarkers/me", false},
		"no path":                                             {"https://clinical.platform.test", false},
		"not a URL":                                           {"https://clinical.platform.test/%", false},
		"an escape that is cut short":                         {own + "%6", false},
		"nothing":                                             {"", false},
		"two dots behind an escaped slash are a name":         {"https://clinical.platform.test/x%2f../v1/biomarkers/me", false},
		"the host behind a backslash":                         {`https:\\clinical.platform.test/v1/biomarkers/me`, false},
		"a URL without slashes, which has no host":            {"https:clinical.platform.test/v1/biomarkers/me", false},
		"a dot behind the host, which is another name for it": {"https://clinical.platform.test./v1/biomarkers/me", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form := normalURL(test.sent)
			if same := form != "" && form == normalURL(own); same != test.same {
				t.Errorf("%q has the normal form %q", test.sent, form)
			}
		})
	}
	if got := normalURL("http://localhost:80"); got != "http://localhost/" {
		t.Errorf("an address without a path is %q", got)
	}
	if got := normalURL("https://a.example/%3a%c3%a4"); got != "https://a.example/%3A%C3%A4" {
		t.Errorf("RFC 3986 §6.2.2.1 escapes in small letters are %q", got)
	}
}

// FuzzNormalURL: the normal form of a normal form is itself.
func FuzzNormalURL(f *testing.F) {
	for _, text := range []string{"https://a.example/b/../c?d#e", "HTTP://A:80", "https://a/%2e%2e/%7e", "https://[::1]:443/x", "x", "%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		form := normalURL(text)
		if form != "" && normalURL(form) != form {
			t.Fatalf("%q has the normal form %q, which has %q", text, form, normalURL(form))
		}
	})
}
