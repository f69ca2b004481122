package emv

// processingOptions starts a transaction (EMV Book 3 §6.5.8). The command's template holds what the PDOL asks for.
func (c *Card) processingOptions(_, _ byte, data []byte) ([]byte, uint16) {
	a := c.session.app
	if c.session.phase != phaseSelected || a.counter == maxCounter {
		return nil, SWConditions
	}
	if c.face == OnContactless {
		return c.tap(data)
	}
	options, sw := splitOptions(a.contact.pdol, data)
	if sw != SWOK {
		return nil, sw
	}
	a.counter++
	c.session.phase, c.session.options, c.session.files = phaseInitiated, options, a.contact.files
	c.session.report, a.scripts = a.scripts, scriptReport{}
	return template(List{{TagAIP, a.contact.aip[:]}, {TagAFL, a.contact.afl}}), SWOK
}

// splitOptions takes the template of GET PROCESSING OPTIONS apart.
func splitOptions(pdol DOL, data []byte) (List, uint16) {
	want := pdol.Length()
	header := appendLength([]byte{byte(TagCommand)}, want)
	switch {
	case len(data) != len(header)+want:
		return nil, SWWrongLength
	case string(data[:len(header)]) != string(header):
		return nil, SWWrongData
	}
	options, ok := pdol.Split(data[len(header):])
	if !ok {
		return nil, SWWrongLength
	}
	return options, SWOK
}

// externalAuthenticate checks the issuer's response cryptogram (EMV Book 3 §6.5.4), once a
// transaction and only after an ARQC.
func (c *Card) externalAuthenticate(_, _ byte, data []byte) ([]byte, uint16) {
	s := &c.session
	if s.app != nil && !s.app.scheme.fits(len(data)) || s.app == nil && len(data) == 0 {
		return nil, SWWrongLength
	}
	if s.phase != phaseOnline || s.auth != authNone || s.app.app.IssuerAuth == AuthInCryptogram {
		return nil, SWConditions
	}
	if !c.authenticate(data) {
		return nil, SWAuthFailed
	}
	return nil, SWOK
}

// authenticate notes what the issuer's proof is worth.
func (c *Card) authenticate(proof []byte) bool {
	s := &c.session
	genuine, approved := s.app.scheme.proves(proof, s.sk, s.arqc)
	if !genuine {
		s.auth = authFailed
		return false
	}
	s.auth, s.approved = authPassed, approved
	return true
}

// generateAC computes the first or the second cryptogram of a transaction (EMV Book 3 §6.5.5), with a CDA signature where one is
// asked for.
func (c *Card) generateAC(p1, _ byte, data []byte) ([]byte, uint16) {
	s := &c.session
	combined := p1&combinedWanted != 0
	if s.phase != phaseInitiated && s.phase != phaseOnline {
		return nil, SWConditions
	}
	if combined && (s.app.app.Auth.Methods&AIPCombined == 0 || s.app.app.Auth.Key == nil) {
		return nil, SWWrongP1P2
	}
	if s.phase == phaseInitiated {
		return c.firstAC(p1&typeMask, combined, data)
	}
	return c.secondAC(p1&typeMask, combined, data)
}

// firstAC decides on the terminal's wish (card action analysis, EMV Book 3 §10.8). After TC or AAC the transaction is over.
func (c *Card) firstAC(asked byte, combined bool, data []byte) ([]byte, uint16) {
	s, a := &c.session, c.session.app
	var ok bool
	if s.first, ok = a.app.cdol1().Split(data); !ok {
		return nil, SWWrongLength
	}
	kind := a.decide(asked)
	s.types = kind >> 2
	answer, sk, ac, err := c.cryptogram(kind, cvrSecondNone|s.types, combined)
	if err != nil {
		return nil, SWNoDiagnosis
	}
	if kind == TypeARQC {
		s.phase, s.online, s.sk, s.arqc = phaseOnline, true, sk, ac
		return answer, SWOK
	}
	s.phase = phaseDone
	if kind == TypeTC {
		a.approveOffline()
	}
	return answer, SWOK
}

// decide is the card's choice of the first cryptogram: never more than the terminal asks for.
func (a *applet) decide(asked byte) byte {
	switch {
	case a.blocked || a.app.First == Decline || asked == TypeAAC:
		return TypeAAC
	case a.app.First == GoOnline || a.atLimit():
		return TypeARQC
	}
	return asked
}

// atLimit says whether the next approval must come from the issuer.
func (a *applet) atLimit() bool { return a.upper > 0 && a.offline >= a.upper }

func (a *applet) approveOffline() { a.offline = min(a.offline, 0xFE) + 1 }

// secondAC decides with the issuer's answer.
func (c *Card) secondAC(asked byte, combined bool, data []byte) ([]byte, uint16) {
	s, a := &c.session, c.session.app
	values, ok := a.app.cdol2().Split(data)
	if !ok {
		return nil, SWWrongLength
	}
	s.second = values
	arc, _ := values.Find(TagARC)
	unable := string(arc) == "Y3" || string(arc) == "Z3"
	if proof, ok := values.Find(TagIssuerAuth); ok && a.app.IssuerAuth == AuthInCryptogram && !unable {
		c.authenticate(proof)
	}
	kind := TypeAAC
	if asked == TypeTC && c.agrees(unable) {
		kind = TypeTC
	}
	answer, _, _, err := c.cryptogram(kind, kind|s.types, combined)
	if err != nil {
		return nil, SWNoDiagnosis
	}
	s.phase = phaseDone
	switch {
	case s.auth == authPassed:
		a.lastOnline, a.offline = a.counter, 0
	case kind == TypeTC && unable:
		a.approveOffline()
	}
	return answer, SWOK
}

// agrees says whether the card approves where the terminal wants it to.
func (c *Card) agrees(unable bool) bool {
	s, a := &c.session, c.session.app
	switch {
	case a.blocked || a.app.Second == Decline:
		return false
	case unable:
		return a.app.Unable
	case s.auth == authPassed:
		return s.approved
	}
	return s.auth == authNone && a.app.IssuerAuth == AuthOptional
}

// cryptogram builds the answer to GENERATE AC. types are the types in the CVR's first result byte. An AAC is never signed
// (EMV Book 2 §6.6.1).
func (c *Card) cryptogram(kind, types byte, combined bool) (answer, sk []byte, ac [8]byte, err error) {
	s, a := &c.session, c.session.app
	combined = combined && kind != TypeAAC
	s.dynamic, s.combined = s.dynamic || combined, s.combined || combined
	atc := [2]byte{byte(a.counter >> 8), byte(a.counter)}
	iad := a.scheme.issuerData(c.results(types))
	covered := append(append(append(List{}, s.second...), s.first...), s.options...)
	covered = append(covered, TLV{TagAIP, a.contact.aip[:]}, TLV{TagATC, atc[:]})
	sk, ac, err = a.scheme.compute(a.icc, covered, iad)
	if err != nil {
		return nil, nil, ac, err
	}
	objects := List{{TagCID, []byte{kind}}, {TagATC, atc[:]}, {TagCryptogram, ac[:]}, {TagIAD, iad}}
	if combined {
		if objects, err = c.combine(objects, ac, s.options.values(), s.first.values(), s.second.values()); err != nil {
			return nil, nil, ac, err
		}
	}
	return template(objects), sk, ac, nil
}

// results are what the CVR tells the issuer.
func (c *Card) results(types byte) results {
	s := &c.session
	return results{
		types: types, authFailed: s.auth == authFailed, pinTried: s.pinTried, pinFailed: s.pinTried && !s.pinRight,
		pinBlocked: c.pin != "" && c.tries == 0, tries: c.tries, hasPIN: c.pin != "", overLimit: s.app.atLimit(), scripts: s.report,
		dynamic: s.dynamic, combined: s.combined,
	}
}
