// Package kernel is EMV Level 2: what a terminal must do with a card between "inserted" or "tapped" and "approved,
// declined or online". It has no screen, no host and no hardware of its own: the terminal hands it a Card to send
// commands to and a Dialogue for what only a person can decide.
//
//	k, err := kernel.New(cfg)
//	s, err := k.Contact(ctx, card, dialogue, transaction)
//	switch r := s.Result(); r.Outcome {
//	case kernel.Online: // send r.Data as DE55
//		r, err = s.Complete(ctx, kernel.Answer{Code: "00", Data: de55})
//	…
//	}
//
// Contact is the flow of EMV 4.3 Books 1, 3 and 4: application selection, GET PROCESSING OPTIONS, records, offline
// data authentication, processing restrictions, cardholder verification, terminal risk management, terminal action
// analysis, first GENERATE AC, and after the host's answer issuer authentication, scripts and second GENERATE AC.
// Tap is one contactless flow in EMV mode, in the manner of qVSDC and qPBOC.
//
// Whatever a card answers, a call ends with a Result; an error means that the power went, or is one of the Dialogue's own.
// Every loop over a card's data is bounded. What the kernel knows about a card stays in memory: nothing is written or logged.
package kernel
