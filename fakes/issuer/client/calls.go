package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// Rules gives the rules in force and how often each was used.
func (c *Client) Rules(ctx context.Context) (Rules, error) {
	var r Rules
	err := c.call(ctx, http.MethodGet, PathRules, nil, &r)
	return r, err
}

// SetRules replaces the rules and starts their counts and scenarios anew; ledger and journal stay. Rules that the
// issuer refuses are a *StatusError and change nothing.
func (c *Client) SetRules(ctx context.Context, s Setup) error {
	return c.call(ctx, http.MethodPut, PathRules, s, nil)
}

// AddRule adds a rule, behind the others where they are ordered. The counts of the others go on.
func (c *Client) AddRule(ctx context.Context, r Rule) error {
	return c.call(ctx, http.MethodPost, PathRules, r, nil)
}

// RemoveRule takes a rule away. One that is not there is a *StatusError with 404.
func (c *Client) RemoveRule(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, PathRules+"/"+url.PathEscape(name), nil, nil)
}

// Scenarios gives the states of the named scenarios, by name.
func (c *Client) Scenarios(ctx context.Context) ([]ScenarioState, error) {
	var all []ScenarioState
	err := c.call(ctx, http.MethodGet, PathScenarios, nil, &all)
	return all, err
}

// ResetScenarios puts every named scenario back to StateStarted.
func (c *Client) ResetScenarios(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, PathScenarios, nil, nil)
}

// ForceScenario puts a named scenario into a state, one of those that the rules declare.
func (c *Client) ForceScenario(ctx context.Context, name, state string) error {
	return c.call(ctx, http.MethodPut, PathScenarios+"/"+url.PathEscape(name), ScenarioState{Name: name, State: state}, nil)
}

// Journal gives the entries with a Seq greater than after; 0 gives all that are kept.
func (c *Client) Journal(ctx context.Context, after uint64) (Journal, error) {
	var j Journal
	err := c.call(ctx, http.MethodGet, PathJournal+"?after="+strconv.FormatUint(after, 10), nil, &j)
	return j, err
}

// Verify counts the journal's messages that fit. A verdict that is not OK is no error.
func (c *Client) Verify(ctx context.Context, v Verify) (Verdict, error) {
	var out Verdict
	err := c.call(ctx, http.MethodPost, PathVerify, v, &out)
	return out, err
}

// Send has the issuer send a message that was not asked for.
func (c *Client) Send(ctx context.Context, u Unsolicited) error {
	return c.call(ctx, http.MethodPost, PathSend, u, nil)
}

// Restart has the issuer drop every connection, forget what was in memory only, and listen again after r.Down.
func (c *Client) Restart(ctx context.Context, r Restart) error {
	return c.call(ctx, http.MethodPost, PathRestart, r, nil)
}
