package kernel

import "slices"

// The bugs that can be planted in a kernel. Each acts in exactly one place.
const (
	DefectAppOrder          = "application-order"
	DefectBlockedUsed       = "blocked-application-used"
	DefectGPORefusal        = "gpo-refusal-ends"
	DefectODAIgnored        = "oda-failure-ignored"
	DefectExpired           = "expired-application-accepted"
	DefectBypassBit         = "pin-bypass-wrong-bit"
	DefectPINTries          = "pin-tries-unchecked"
	DefectExceptions        = "exception-file-ignored"
	DefectVelocity          = "velocity-unchecked"
	DefectFloorLimit        = "floor-limit-exclusive"
	DefectIssuerAuth        = "issuer-authentication-ignored"
	DefectScriptPhase       = "script-wrong-phase"
	DefectScriptResult      = "script-result-lost"
	DefectStaleCDOL         = "cdol-data-stale"
	DefectRemovalUnnoticed  = "card-removal-unnoticed"
	DefectCVMLimit          = "cvm-limit-ignored"
	DefectContactlessLimit  = "contactless-limit-ignored"
	DefectContactlessExpiry = "contactless-expiry-ignored"
	DefectTornCharged       = "torn-tap-charged"
)

// Defects lists them, sorted.
func Defects() []string {
	all := []string{
		DefectAppOrder, DefectBlockedUsed, DefectGPORefusal, DefectODAIgnored, DefectExpired, DefectBypassBit, DefectPINTries,
		DefectExceptions, DefectVelocity, DefectFloorLimit, DefectIssuerAuth, DefectScriptPhase, DefectScriptResult, DefectStaleCDOL,
		DefectRemovalUnnoticed, DefectCVMLimit, DefectContactlessLimit, DefectContactlessExpiry, DefectTornCharged,
	}
	slices.Sort(all)
	return all
}

func known(name string) bool { return slices.Contains(Defects(), name) }
