package mail

import gomail "github.com/wneessen/go-mail"

// RequireTLS treats a server on this machine, where the tests' servers are, as one elsewhere.
func RequireTLS(s Sender) { s.(*relay).policy = gomail.TLSMandatory }
