package mysql

import "testing"

func TestVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"8.0.36":                    "",
		"8.4.0":                     "",
		"5.7.44-log":                "server is MySQL 5.7, 8.0 or newer is needed",
		"10.11.6-MariaDB-0+deb12u1": "",
		"5.5.5-10.6.16-MariaDB":     "",
		"10.3.39-MariaDB":           "server is MariaDB 10.3, 10.5 or newer is needed",
		"what":                      `server has the unknown version "what"`,
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := checkVersion(version); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("error is %q, want %q", got, want)
			}
		})
	}
}
