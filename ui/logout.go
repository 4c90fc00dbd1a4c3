package ui

import "net/http"

func logoutForm() form {
	return form{name: "logout", at: "/logout", route: "logout"}
}

func showLogout(v *visit) error {
	return v.show(http.StatusOK, "logout", v.draw(logoutForm(), nil, nil))
}

func takeLogout(v *visit) error {
	if err := v.read(); err != nil {
		return err
	}
	_, refused, err := v.submit(logoutForm())
	if err != nil {
		return err
	}
	if refused != nil {
		return v.show(v.refusedStatus(refused), "logout", v.draw(logoutForm(), nil, refused))
	}
	return v.next("/login?done=out")
}
