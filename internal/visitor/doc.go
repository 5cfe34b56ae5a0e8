// Package visitor is what identity and account share of a browser on identity's
// host: its cookies, who is signed in, forms that prove where they came from, and
// the app's request that pages carry on (a Journey).
//
// A step of a journey (sign-in, sign-up, notice, choice of an account) ends with a
// redirect to NextPath. What is there decides what comes next, afresh; no step
// knows another.
//
//	authorize ──▶ /continue ──▶ sign-in ──▶ notice ──▶ choice (──▶ test member) ──▶ consent ──▶ the app
//	                  ▲____________│__________│__________│           (decided there)
//
// Start with visitor.go, then journey.go.
package visitor
