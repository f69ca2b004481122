package iso8583

import "math/bits"

// fieldSet is a set of field numbers from 1 to 128, in the order of a bitmap: field 1 is the
// highest bit of the first word.
type fieldSet [2]uint64

func (s *fieldSet) add(n int) { s[(n-1)/64] |= 1 << (63 - (n-1)%64) }

func (s *fieldSet) has(n int) bool { return s[(n-1)/64]&(1<<(63-(n-1)%64)) != 0 }

// next is the smallest member above n; 0 without one.
func (s *fieldSet) next(n int) int {
	for word := n / 64; word < len(s); word++ {
		rest := s[word]
		if word == n/64 {
			rest = rest << (n % 64) >> (n % 64)
		}
		if rest != 0 {
			return word*64 + bits.LeadingZeros64(rest) + 1
		}
	}
	return 0
}

// count is the number of members.
func (s *fieldSet) count() int { return bits.OnesCount64(s[0]) + bits.OnesCount64(s[1]) }
