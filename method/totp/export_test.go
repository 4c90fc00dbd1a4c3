package totp

// What tests reach into.
var (
	HOTP        = hotp
	Plain       = plain
	PlainBackup = plainBackup
	Otpauth     = otpauth
)
