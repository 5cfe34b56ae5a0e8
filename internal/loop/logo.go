package loop

// Logo is the picture of an app: where its developer has it, and what became of it.
// Members are shown our own copy alone, and the initial of the app's name where there
// is none.
type Logo struct {
	URI     string `json:"uri,omitempty"`     // registered; https
	Picture string `json:"picture,omitempty"` // hash of our copy; empty: there is none
	Fault   string `json:"fault,omitempty"`   // why there is none, for its developer
}
