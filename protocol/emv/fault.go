package emv

import (
	"slices"
	"time"
)

// Moments at which a fault can strike: the answer to reset, a command, any command of an issuer's script, or all of them.
const (
	OnReset        = "reset"
	OnSelect       = "select"
	OnOptions      = "get-processing-options"
	OnRecord       = "read-record"
	OnCryptogram   = "generate-ac"
	OnExternal     = "external-authenticate"
	OnInternal     = "internal-authenticate"
	OnVerify       = "verify"
	OnData         = "get-data"
	OnChallenge    = "get-challenge"
	OnScript       = "script"
	OnAny          = "any" // every command
	maxFaultRepeat = 1000
)

// Moments lists the moments of a Fault.
func Moments() []string {
	return []string{OnReset, OnSelect, OnOptions, OnRecord, OnCryptogram, OnExternal, OnInternal, OnVerify, OnData, OnChallenge, OnScript, OnAny}
}

// Kinds of damage to an answer's data.
const (
	DamageTruncate = "truncate" // the last byte is missing: every length points beyond the end
	DamageTag      = "tag"      // the first tag is another
	DamageLength   = "length"   // the length of the outermost object is one too great
	DamageContent  = "content"  // one bit in the middle is flipped
	DamageRepeat   = "repeat"   // the data come twice
)

// Damages lists the kinds of damage of a Fault.
func Damages() []string {
	return []string{DamageTruncate, DamageTag, DamageLength, DamageContent, DamageRepeat}
}

// Interfaces of a card, as a Fault names them.
const (
	OnContact     = "contact"
	OnContactless = "contactless"
)

// MaxDelay is the longest delay of a Fault: above what a card emulator keeps a terminal waiting.
const MaxDelay = 30 * time.Second

// Fault is one way in which a card misbehaves. Which command it strikes is told by On, Interface, Skip and Times; what it
// does by the rest, of which several may be given.
type Fault struct {
	On        string // one of Moments
	Interface string // OnContact or OnContactless; "": both
	Skip      int    // how many go well first
	Times     int    // how many are struck then; 0: all
	// Delay is slept before the answer, in the time of the caller's goroutine.
	Delay time.Duration
	// Mute gives no answer at all. The command has been executed: a counter has gone up, a cryptogram was made.
	Mute bool
	// Status is answered in the command's place, which is not executed; 0: none.
	Status uint16
	Damage string // one of Damages, on an answer's data; "": none
}

func (f Fault) valid() bool {
	return slices.Contains(Moments(), f.On) && (f.Interface == "" || f.Interface == OnContact || f.Interface == OnContactless) &&
		f.Skip >= 0 && f.Skip <= maxFaultRepeat && f.Times >= 0 && f.Times <= maxFaultRepeat && f.Delay >= 0 && f.Delay <= MaxDelay &&
		(f.Damage == "" || slices.Contains(Damages(), f.Damage))
}

// faultState is a fault and how often its moment has come.
type faultState struct {
	Fault
	seen int
}

// Hasten shortens every delay by a factor, at least 1, for a terminal whose own timers are shortened by it.
func (c *Card) Hasten(factor float64) {
	for i := range c.faults {
		c.faults[i].Delay = time.Duration(float64(c.faults[i].Delay) / max(factor, 1))
	}
}

// strikes counts a moment on an interface and says whether it is one of those that are struck.
func (f *faultState) strikes(moment, face string) bool {
	fits := f.On == moment || f.On == OnAny && moment != OnReset
	if !fits || f.Interface != "" && f.Interface != face {
		return false
	}
	f.seen++
	return f.seen > f.Skip && (f.Times == 0 || f.seen <= f.Skip+f.Times)
}

// struck gives what strikes at a moment, of several faults taken together.
func (c *Card) struck(moment, face string) (all Fault) {
	for i := range c.faults {
		f := &c.faults[i]
		if !f.strikes(moment, face) {
			continue
		}
		all.Delay = min(all.Delay+f.Delay, MaxDelay)
		all.Mute = all.Mute || f.Mute
		if f.Status != 0 {
			all.Status = f.Status
		}
		if f.Damage != "" {
			all.Damage = f.Damage
		}
	}
	return all
}

// damaged returns a copy of an answer's data with the damage. Data of fewer than two bytes are left alone.
func damaged(data []byte, kind string) []byte {
	if len(data) < 2 || kind == "" {
		return data
	}
	out := slices.Clone(data)
	switch kind {
	case DamageTruncate:
		return out[:len(out)-1]
	case DamageTag:
		out[0] ^= 0x0F
	case DamageLength:
		out[1]++
		if out[1] == 0x82 { // it was a length in two bytes, of which the second counts
			out[1]--
			out[2]++
		}
	case DamageContent:
		out[len(out)/2] ^= 0x01
	case DamageRepeat:
		return append(out, out[:min(len(out), maxExpected-len(out))]...)
	}
	return out
}

// momentOf names a command's moment; "" for one that has none but OnAny.
func momentOf(command []byte) string {
	if len(command) < 2 {
		return ""
	}
	if command[0]&0x04 != 0 {
		return OnScript
	}
	switch command[1] {
	case INSSelect:
		return OnSelect
	case INSGetProcessingOptions:
		return OnOptions
	case INSReadRecord:
		return OnRecord
	case INSGenerateAC:
		return OnCryptogram
	case INSExternalAuthenticate:
		return OnExternal
	case INSInternalAuthenticate:
		return OnInternal
	case INSVerify:
		return OnVerify
	case INSGetData:
		return OnData
	case INSGetChallenge:
		return OnChallenge
	}
	return ""
}
