package sqlstore

import (
	"regexp"
	"strconv"
	"strings"
)

// Numbered writes the parameters of a statement as $1, $2 … None of our statements has a question mark in a literal.
func Numbered(query string) string {
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// byLookup is the condition that the unique index of credentials answers. A lookup may be longer than what an index can
// hold, so databases with such a limit index its hash.
const byLookup = `method = ? AND lookup = ?`

// Lookup replaces the condition on a credential's lookup value, which has one parameter.
func Lookup(query, condition string) string {
	return strings.ReplaceAll(query, byLookup, `method = ? AND `+condition)
}

// PostgreSQL is the dialect of PostgreSQL.
func PostgreSQL(query string) string {
	query = instr.ReplaceAllString(query, `position(? IN $1)`)
	return Numbered(Lookup(query, `sha256(lookup) = sha256(?)`))
}

// MySQL is the dialect of MySQL and MariaDB. An INSERT that may meet a taken value fails there (Engine.Taken).
func MySQL(query string) string {
	query = conflict.ReplaceAllString(query, ``)
	query = upsert.ReplaceAllString(query, `ON DUPLICATE KEY UPDATE`)
	query = excluded.ReplaceAllString(query, `VALUES($1)`)
	query = batch.ReplaceAllString(query, `DELETE FROM $1 $2`) // its optimizer would read the whole table
	query = matching.ReplaceAllString(query, `$1`)
	return Lookup(query, `lookup_hash = UNHEX(SHA2(?, 256))`)
}

var (
	instr    = regexp.MustCompile(`instr\((\w+), \?\)`)
	conflict = regexp.MustCompile(`\s+ON CONFLICT DO NOTHING$`)
	upsert   = regexp.MustCompile(`ON CONFLICT \(\w+\) DO UPDATE SET`)
	excluded = regexp.MustCompile(`excluded\.(\w+)`)
	batch    = regexp.MustCompile(`(?s)^DELETE FROM (\w+) WHERE \(?[\w, ]+\)? IN \(SELECT [\w, ]+ FROM \(\s*SELECT [\w, ]+ FROM \w+ (WHERE .* LIMIT \?)\) AS \w+\)$`)
	matching = regexp.MustCompile(`id IN \(SELECT id FROM \(SELECT id FROM \w+ WHERE (\w+ < \?)\) AS expired\)`)
)
