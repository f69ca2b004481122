// Package card is what the drivers of card emulators share: calls into a card's application that
// survive its panics, the answer to select of a contactless card, the bounded stream of events, and
// the error for an interface that an emulator lacks.
package card
