package terminal

// signal sounds and lights what the transaction has come to.
func (a *app) signal(what string) {
	if a.hw.Signal != nil {
		a.hw.Signal(what)
	}
}

// debug writes a line to the service port.
func (a *app) debug(text string) {
	if a.hw.Debug != nil {
		a.hw.Debug(text)
	}
}

// loggedPAN is a card number as the debug line may have it.
func (a *app) loggedPAN(pan string) string {
	if a.defects.has(defectPANOnDebug) {
		return pan
	}
	return maskedPAN(pan)
}
