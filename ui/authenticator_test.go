package ui_test

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// authenticator is a virtual one in the browser: it stores passkeys and checks its person.
type authenticator struct {
	*tab
	id webauthn.AuthenticatorID
}

// authenticator plugs one in. It answers at once while its person is there.
func (b *tab) authenticator(verified bool) *authenticator {
	b.Helper()
	a := &authenticator{tab: b}
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		made, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true,
			HasUserVerification: verified, IsUserVerified: verified, AutomaticPresenceSimulation: true,
		}})
		a.id = made.AuthenticatorID
		return err
	}))
	return a
}

// present says whether the person is at the authenticator.
func (a *authenticator) present(there bool) {
	a.Helper()
	a.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: a.id, Enabled: there})
		return err
	}))
}

// forgets removes every passkey.
func (a *authenticator) forgets() {
	a.Helper()
	a.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, webauthn.ClearCredentials, webauthn.ClearCredentialsParams{AuthenticatorID: a.id})
		return err
	}))
}

// unverified makes answers that say that the person was not checked.
func (a *authenticator) unverified() {
	a.Helper()
	yes := true
	a.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{AuthenticatorID: a.id, IsBadUV: &yes})
		return err
	}))
}
