// Package magiclink owns sign-in by mail: a link and a six-digit code in one mail, for people with an account and, if
// that is wanted, for those who get one by it.
//
// Both work only where they were asked for (R30): the link in the browser that asked, or with the ticket that it was given;
// the code with that ticket. Who reads the mail and nothing else, like a scanner that opens every link and presses every
// button, gets nowhere and uses nothing up. The mail goes to the stored address, and nothing tells whether there is one.
//
// It does not own what a proven mailbox leads to: a second factor, a lock, the session are the engine's.
package magiclink
