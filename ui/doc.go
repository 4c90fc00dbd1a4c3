// Package ui owns the hosted pages: sign in, by mail and with a passkey, too; the second step; sign up, recovery,
// confirmation of addresses, set-up, the account page and the error page. They work without JavaScript, except for passkeys,
// which browsers give to scripts only; they load nothing from elsewhere, and change nothing on GET.
//
// It decides nothing about security. A form is handed to the engine's route of the same purpose ([ostiary.Engine.Submit]),
// which runs the same limits, checks and sign-in as for the JSON API; this package only draws the form and the answer.
package ui
