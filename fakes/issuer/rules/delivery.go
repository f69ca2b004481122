package rules

import (
	"encoding/hex"
	"strconv"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// bytes reads what changes the bytes of a frame.
func (r *reader) bytes(a client.Answer) {
	junk, err := hex.DecodeString(a.Junk)
	if err != nil || len(junk) > MaxJunk {
		r.wrong("junk", "want at most %d bytes in hexadecimal", MaxJunk)
	}
	r.out.junk = junk
	switch a.WrongLength {
	case "":
	case "zero":
		r.out.length = zeroLength
	case "huge":
		r.out.length = hugeLength
	default:
		n, err := strconv.Atoi(a.WrongLength)
		if err != nil || n == 0 || n < -MaxLength || n > MaxLength || a.WrongLength[0] != '+' && a.WrongLength[0] != '-' {
			r.wrong("wrong_length", "%q: want +n or -n bytes, at most %d, or zero or huge", a.WrongLength, MaxLength)
		}
		r.out.length = func(_ iso8583.Framing, length int) int { return length + n }
	}
	if a.Truncate < 0 {
		r.wrong("truncate", "%d: want the number of bytes that are sent", a.Truncate)
	}
	if d := a.Dribble; d != nil && (d.Bytes < 1 || d.Every <= 0 || d.Every > MaxGap) {
		r.wrong("dribble", "want 1 byte or more every so long, at most %v", MaxGap)
	}
}

// zeroLength makes a frame's length nothing but zeroes.
func zeroLength(f iso8583.Framing, _ int) int {
	if f.Inclusive {
		return -f.LengthBytes
	}
	return 0
}

// hugeLength makes a frame's length as large as its bytes can say.
func hugeLength(f iso8583.Framing, _ int) int {
	const nines = 99_999_999 // as many as any length has digits
	n := nines
	if f.Encoding == "" || f.Encoding == "binary" {
		n = 1<<(8*f.LengthBytes) - 1
	}
	if f.Inclusive {
		n -= f.LengthBytes
	}
	return n
}

// delivery reads what changes how often, when and with what end an answer goes out.
func (r *reader) delivery(a client.Answer) {
	if a.Late < 0 || a.Late > MaxLate {
		r.wrong("late", "%v: want 0 to %v", a.Late, MaxLate)
	}
	if a.Duplicate < 0 || a.Duplicate > MaxCopies {
		r.wrong("duplicate", "%d copies: want 0 to %d", a.Duplicate, MaxCopies)
	}
	ends := []string{client.EndClose, client.EndReset, client.EndStall}
	switch a.End {
	case "", client.EndClose, client.EndReset, client.EndStall:
	default:
		r.wrong("end", "%s", strict.UnknownMessage("end", a.End, ends))
	}
	if a.Restart != nil && (a.Restart.Down < 0 || a.Restart.Down > MaxLate) {
		r.wrong("restart", "down %v: want 0 to %v", a.Restart.Down, MaxLate)
	}
}

// exclusions complains of things that cannot be done both.
func (r *reader) exclusions(a client.Answer) {
	shape := a
	shape.Never, shape.End, shape.Restart, shape.Unsolicited, shape.Approve = false, "", nil, nil, nil
	if a.End != "" || a.Restart != nil {
		shape.Late = 0 // the end is what is late
	}
	refuses := a.Code != "" || a.Reason != ""
	ends := a.End != "" || a.Restart != nil
	switch {
	case a.Never && !plain(shape):
		r.wrong("never", "never excludes code, reason, late, and all that an answer can look like")
	case a.Approve != nil && refuses:
		r.wrong("approve", "approve excludes code and reason")
	case a.Truncate > 0 && a.End == "":
		r.wrong("truncate", "say how it ends then, with end: close, reset or stall")
	case a.Truncate > 0 && (a.Duplicate > 0 || a.Merge):
		r.wrong("truncate", "truncate excludes duplicate and merge")
	case a.Merge && a.Duplicate == 0 && (ends || a.Dribble != nil || a.Unsolicited != nil):
		r.wrong("merge", "an answer that waits for the next one cannot dribble, end the connection or be followed by a message of its own")
	case a.Unsolicited != nil && ends:
		r.wrong("unsolicited", "nothing can follow on a connection that ends")
	case a.End != "" && a.Restart != nil:
		r.wrong("restart", "a restart ends the connection already: leave out end")
	}
}
