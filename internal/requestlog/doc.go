// Package requestlog keeps what each app's newest requests came to, for the app's
// developer: route, status, error and duration, and of a refused request what was
// sent, without anything secret. From an entry it explains which rule refused the
// request and how the request has to look.
//
//	web.Exchange ──► Recorder (memory, bounded) ──each second──► Store, a batch an app
//	                                                              │
//	portal ◄── Log.List, Log.Find ◄───────────────────────────────┘
//
// An entry is written after its answer, so a process that is killed loses those of its
// last second. An app's requests that proved who sent them have a ring of their own:
// a stranger who knows the client id pushes none of them out.
package requestlog
