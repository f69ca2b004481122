package journal

import (
	"errors"
	"fmt"
	"strings"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/rules"
)

// maxSeqs is how many of the entries that fit a verdict names.
const maxSeqs = 100

// ErrVerify: a question that cannot be answered.
var ErrVerify = errors.New("verify")

// Verify counts the messages that fit. The error, which wraps ErrVerify, says what is wrong with the question.
func (j *Journal) Verify(v client.Verify) (client.Verdict, error) {
	least, most, err := bounds(v)
	if err != nil {
		return client.Verdict{}, err
	}
	q, err := j.question(v)
	if err != nil {
		return client.Verdict{}, err
	}
	var out client.Verdict
	var miss *client.Miss
	var missed numbered
	list, _, dropped := j.after(v.After)
	for _, r := range list {
		if r.In == v.Sent {
			continue
		}
		differences := q.differences(r.Record)
		if len(differences) == 0 {
			out.Count++
			if len(out.Seqs) < maxSeqs {
				out.Seqs = append(out.Seqs, r.seq)
			}
			continue
		}
		if miss == nil || len(differences) <= len(miss.Differences) { // of equals the latest
			miss, missed = &client.Miss{Seq: r.seq, Differences: differences}, r
		}
	}
	out.OK = out.Count >= least && (most < 0 || out.Count <= most)
	out.Text = fmt.Sprintf("%s wanted, %d found", wanted(least, most), out.Count)
	if out.Count < least {
		out.Miss = miss
		out.Text += missText(miss, missed)
	}
	if dropped > 0 {
		out.Text += fmt.Sprintf("; %d entries were dropped before", dropped)
	}
	return out, nil
}

// bounds reads how many are wanted; most is -1 for any number.
func bounds(v client.Verify) (least, most int, err error) {
	most = -1
	switch {
	case v.AtLeast == nil && v.AtMost == nil && v.Exactly == nil:
		return 0, 0, fmt.Errorf("%w: say how many: at_least, at_most or exactly", ErrVerify)
	case v.Exactly != nil && (v.AtLeast != nil || v.AtMost != nil):
		return 0, 0, fmt.Errorf("%w: exactly excludes at_least and at_most", ErrVerify)
	case v.Exactly != nil:
		least, most = *v.Exactly, *v.Exactly
	}
	if v.AtLeast != nil {
		least = *v.AtLeast
	}
	if v.AtMost != nil {
		most = *v.AtMost
	}
	if least < 0 || v.Exactly == nil && v.AtMost != nil && most < least {
		return 0, 0, fmt.Errorf("%w: at least %d and at most %d cannot be", ErrVerify, least, most)
	}
	return least, most, nil
}

// question is a Verify made ready.
type question struct {
	match                      *rules.Matcher
	code, rule, effect, reason *rules.Pattern
}

func (j *Journal) question(v client.Verify) (q question, err error) {
	if v.Match.Nth != 0 || v.Match.Every != 0 || v.Match.From != 0 || v.Match.To != 0 {
		return q, fmt.Errorf("%w: occurrences are for rules; say how many with at_least, at_most or exactly", ErrVerify)
	}
	if v.Sent {
		q.match, err = rules.NewReplyMatcher(v.Match, j.terms)
	} else {
		q.match, err = rules.NewMatcher(v.Match, j.terms)
	}
	if err != nil {
		return q, fmt.Errorf("%w: %w", ErrVerify, err)
	}
	for _, x := range []struct {
		name, text string
		to         **rules.Pattern
	}{{"code", v.Code, &q.code}, {"rule", v.Rule, &q.rule}, {"effect", v.Effect, &q.effect}, {"reason", v.Reason, &q.reason}} {
		if x.text == "" {
			continue
		}
		p, err := rules.ParsePattern(x.text)
		if err != nil {
			return q, fmt.Errorf("%w: %s: %w", ErrVerify, x.name, err)
		}
		*x.to = &p
	}
	return q, nil
}

// differences says where a record does not fit.
func (q question) differences(r Record) []client.Difference {
	all := q.match.Differences(rules.View{Message: r.Message, Operation: r.Operation, Card: r.Card})
	for _, x := range []struct {
		what, got string
		want      *rules.Pattern
	}{
		{"code", r.Message.Fields[fieldCode], q.code}, {"rule", r.Rule, q.rule},
		{"effect", r.Effect, q.effect}, {"reason", r.Reason, q.reason},
	} {
		if x.want != nil && !x.want.Matches(x.got) {
			all = append(all, client.Difference{What: x.what, Want: x.want.String(), Got: orNothing(x.got)})
		}
	}
	return all
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

func wanted(least, most int) string {
	switch {
	case most < 0:
		return fmt.Sprintf("at least %d", least)
	case least == most:
		return fmt.Sprintf("exactly %d", least)
	case least == 0:
		return fmt.Sprintf("at most %d", most)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

// missText tells how the nearest miss differs.
func missText(miss *client.Miss, r numbered) string {
	if miss == nil {
		return "; there was no message to compare with"
	}
	var parts []string
	for _, d := range miss.Differences {
		parts = append(parts, fmt.Sprintf("%s: want %s, got %s", d.What, d.Want, d.Got))
	}
	return fmt.Sprintf("; the nearest miss is entry %d (%s STAN %s): %s",
		miss.Seq, r.Message.MTI, orNothing(r.Message.Fields[fieldSTAN]), strings.Join(parts, "; "))
}
