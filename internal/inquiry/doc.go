// Package inquiry is what clinical asks identity where the two run in processes of
// their own: a member's sex, by which reference ranges go, how many requests an app
// may send, and from which pages. Nothing else of what identity keeps is given away.
//
// A question goes to identity's own address. It is tagged under the key ring that
// both share, with its path and the time at which it was made: whoever cannot open
// the ring can ask nothing, and a question that was overheard is good for a minute,
// for the answer that was overheard with it.
package inquiry
