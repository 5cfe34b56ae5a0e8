// Package inquiry is what clinical and identity ask each other where the two run in
// processes of their own. Clinical asks for a member's sex and birth date, by which reference
// ranges go, for their name where an app may read it, for an app's name, how many requests
// it may send, and from which pages. Identity asks which
// app read how many results of a member, and when, and for a member's results, to show
// both to the member. Nothing else of what either keeps is answered.
//
// A question goes to the other host's own address. It is tagged under the key ring that
// both share, with its path and the time at which it was made: whoever cannot open
// the ring can ask nothing, and a question that was overheard is good for a minute,
// for the answer that was overheard with it.
package inquiry
