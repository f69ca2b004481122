package iso8583

// allowed says whether a value has only characters of the type; an unknown type has none.
func allowed[T string | []byte](kind string, value T) bool {
	switch kind {
	case "n":
		return digits(value)
	case "an":
		for i := range len(value) {
			if c := value[i]; !digit(c) && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	case "ans":
		for i := range len(value) {
			if c := value[i]; c < ' ' || c > '~' {
				return false
			}
		}
	case "z": // ISO/IEC 7813 track 2 without sentinels; D is the separator of chip data
		for i := range len(value) {
			if c := value[i]; !digit(c) && c != '=' && c != 'D' {
				return false
			}
		}
	case "b":
		return hexadecimal(value)
	default:
		return len(value) == 0
	}
	return true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func digits[T string | []byte](s T) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return true
}

// hexadecimal says whether a value has only upper-case hexadecimal digits.
func hexadecimal[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; !digit(c) && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
