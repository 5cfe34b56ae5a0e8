package loop_test

import (
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

func TestOrigin_IsJustWhatABrowserSends(t *testing.T) {
	t.Parallel()
	for origin, good := range map[string]bool{
		"https://spa.example.com": true, "https://spa.example.com:8443": true, "http://localhost:3000": true, "http://127.0.0.1:5173": true, "http://[::1]:3000": true,
		"https://xn--bcher-kva.example": true, "https://192.0.2.1": true,
		// Sec190
		"https://spa.example.com;x": false, "https://spa$.example.com": false, "https://spa_x.example.com": false, "https://spa.example.com.": false,
		"https://2130706433": false, "https://[2001:0db8::1]": false,
		"": false, "*": false, "null": false, "https://*.example.com": false, "spa.example.com": false, "//spa.example.com": false,
		"https://spa.example.com/": false, "https://spa.example.com/app": false, "https://spa.example.com?x": false, "https://spa.example.com#": false,
		"https://u@spa.example.com": false, "https://SPA.example.com": false, "HTTPS://spa.example.com": false, "https://spa.example.com:443": false,
		"https://spa.example.com:": false, "https://spa.example.com:99999": false, "http://spa.example.com": false, "http://localhost:80": false,
		"https://bücher.example": false, "https://": false, "file://": false, "chrome-extension://abc": false, "https://spa.example.com, https://x.example": false,
	} {
		if err := loop.Origin(origin).Validate(); (err == nil) != good {
			t.Errorf("%q: %v", origin, err)
		}
	}
}
