package bank

// Data elements by their role; the numbers are the same in ISO 8583:1987 and 1993.
const (
	fieldPAN          = 2
	fieldProcessing   = 3
	fieldAmount       = 4
	fieldTransmission = 7
	fieldSTAN         = 11
	fieldTime         = 12
	fieldDate         = 13
	fieldExpiry       = 14
	fieldEntryMode    = 22
	fieldSequence     = 23
	fieldFunction     = 24 // 1993
	fieldCapture      = 26 // 1987, two digits: how many digits the PIN may have; in 1993 it is something else
	fieldTrack2       = 35
	fieldRRN          = 37
	fieldAuth         = 38
	fieldCode         = 39
	fieldTerminal     = 41
	fieldCustomer     = 48
	fieldCurrency     = 49
	fieldPIN          = 52
	fieldBalance      = 54
	fieldChip         = 55
)
