package ui

// doneText is the sentence for a code in ?done=. The address can only choose one of these, never bring its own words.
func doneText(code string) string {
	switch code {
	case "out":
		return "You are signed out."
	case "everywhere":
		return "You are signed out on all devices."
	case "deleted":
		return "Your account is deleted."
	case "reset":
		return "Your password is changed. Please sign in with the new one."
	case "verified":
		return "Your address is confirmed."
	case "reverted":
		return "The change of your address was taken back. Please choose a new password."
	case "setup":
		return "Set-up is done. You are the first administrator."
	case "welcome":
		return "Welcome. Your account is ready."
	case "proved":
		return "Thank you. You can go on now."
	case "recovered":
		return "You are back. The lost second step is removed, and all devices were signed out. Please set up a new one below."
	case "stopped":
		return "It is stopped. Your account stays as it was. If that was not you, please change your password."
	case "passkey":
		return "Your passkey is saved. You can sign in with it from now on."
	case "rename":
		return "Your passkey is saved as you want it."
	case "remove":
		return "That passkey is removed. You can delete it on the device, too."
	case "twostepoff":
		return "The app is turned off. No code is asked for any more."
	case "distrust":
		return "That device will be asked for the second step again."
	case "keep":
		return "That key works again."
	case "revoke":
		return "That key is switched off. Programs that used it are refused from now on."
	case "profile":
		return "Your profile is saved."
	case "resend":
		return "We sent you a mail. Please follow the link in it."
	case "email":
		return "We sent a mail to the new address. The change takes effect when you follow the link in it."
	case "password":
		return "Your password is changed, and your other devices are signed out."
	case "session":
		return "That device is signed out."
	default:
		return ""
	}
}

// aboutAccount says whether a message of the sign-in page belongs on the account page when somebody is signed in.
func aboutAccount(code string) bool {
	switch code {
	case "verified", "reverted", "stopped":
		return true
	}
	return false
}
