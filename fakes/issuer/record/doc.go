// Package record stands between a terminal and another host, passes on what they say byte for byte,
// and writes the host's answers down as a rule file with which the issuer answers in its place.
//
//	recorder := record.NewRecorder(terms)
//	err := record.Proxy(ctx, terminal, dial, codec, recorder.Add)   // for each connection
//	file, err := recorder.File()                                   // rules for rules.Parse
//
// What is replayed differs from what was recorded in this only: the MAC is the issuer's own; card
// data and keys that the host sent are not written down, and so missing where the request does not
// have the same; a pause is kept from a second on, to a tenth. Times, retrieval reference numbers and
// authorisation codes are the recorded ones. The books stay as they are: an answer that was
// recorded is no posting.
package record
