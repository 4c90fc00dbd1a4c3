// Package secure is HTTP middleware that any Go application can use: response headers, the cross-origin check, CORS,
// redirects to HTTPS, and the address of the client behind proxies.
//
// It owns what can be decided from one request and a configuration. It knows no sessions, users or tokens, keeps no state
// and writes no log. The zero value of every configuration is the strict one: it trusts no proxy and no other origin.
//
// What a client can write is not believed: Forwarded and X-Forwarded-* count only from the proxies that were named, and
// redirects go to the configured host, never to that of the Host header.
package secure
