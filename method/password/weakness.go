package password

// Weakness says why a password was refused. It never holds the password or a part of it.
type Weakness struct {
	// Code is one of too_short, too_long, invalid, common, context, repetitive, missing_upper, missing_lower,
	// missing_digit, missing_symbol.
	Code string
	// Text is a sentence for people.
	Text string
}

func (w *Weakness) Error() string { return w.Text }
