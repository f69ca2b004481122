package emv

import (
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/assay-hil/assay/protocol/tdes"
)

// Tags of issuer scripts (EMV Book 3 §10.10).
const (
	TagScript1       uint32 = 0x71   // script to be run before the second GENERATE AC
	TagScript2       uint32 = 0x72   // script to be run after it
	TagScriptID      uint32 = 0x9F18 // issuer script identifier
	TagScriptCommand uint32 = 0x86   // issuer script command
	TagScriptResults uint32 = 0xDF31 // what became of scripts, as terminals report it
)

// Instruction bytes of script commands (EMV Book 3 §6.5); their class is 84, secure messaging.
const (
	INSCardBlock          byte = 0x16
	INSApplicationUnblock byte = 0x18
	INSApplicationBlock   byte = 0x1E
	INSPINChange          byte = 0x24 // PIN CHANGE/UNBLOCK
	INSPutData            byte = 0xDA // of class 04
)

// P2 of PIN CHANGE/UNBLOCK (VIS).
const (
	PINUnblock       byte = 0x00
	PINChangeWithOld byte = 0x01
	PINChangeNew     byte = 0x02
)

const (
	claSecure      byte = 0x84 // secure messaging, header under the MAC
	claSecureISO   byte = 0x04 // the same, of an instruction of ISO/IEC 7816-4
	scriptMACSize       = 8
	scriptIDSize        = 4
	maxScriptSize       = 128 // bytes of scripts in a message (EMV Book 3 §10.10)
	maxPlainScript      = maxCommandData - scriptMACSize
)

var (
	// ErrScript means that a script is malformed: no template 71 or 72, an identifier that has not
	// 4 bytes, or an object in it that is none of a script's.
	ErrScript = errors.New("emv: malformed issuer script")
	// ErrScriptMAC means that a script command's MAC is wrong.
	ErrScriptMAC = errors.New("emv: wrong MAC of a script command")
	// ErrScriptLong means that a command's data or all scripts of a message are too long: 247 and
	// 128 bytes.
	ErrScriptLong = errors.New("emv: issuer script too long")
	// ErrPIN means that a PIN for a PIN block is not 4 to 12 digits.
	ErrPIN = errors.New("emv: PIN is not 4 to 12 digits")
)

// Script is a list of commands that an issuer sends to its card.
type Script struct {
	Tag      uint32 // TagScript1 or TagScript2
	ID       []byte // 4 bytes; nil: none
	Commands [][]byte
}

// Encode returns the script's template. Errors: ErrScript, ErrScriptLong.
func (s Script) Encode() ([]byte, error) {
	if s.Tag != TagScript1 && s.Tag != TagScript2 || s.ID != nil && len(s.ID) != scriptIDSize {
		return nil, ErrScript
	}
	var inside List
	if s.ID != nil {
		inside = append(inside, TLV{TagScriptID, s.ID})
	}
	for _, command := range s.Commands {
		inside = append(inside, TLV{TagScriptCommand, command})
	}
	script := List{{s.Tag, inside.Encode()}}.Encode()
	if len(script) > maxScriptSize {
		return nil, ErrScriptLong
	}
	return script, nil
}

// Scripts returns the issuer scripts in a reply's field 55, in their order. Errors: ErrScript,
// *SyntaxError.
func Scripts(l List) ([]Script, error) {
	var scripts []Script
	for _, object := range l {
		if object.Tag != TagScript1 && object.Tag != TagScript2 {
			continue
		}
		inside, err := parse(object.Value, 2, leniently)
		if err != nil {
			return nil, err
		}
		s := Script{Tag: object.Tag}
		for i, part := range inside {
			switch {
			case part.Tag == TagScriptID && i == 0 && len(part.Value) == scriptIDSize:
				s.ID = part.Value
			case part.Tag == TagScriptCommand:
				s.Commands = append(s.Commands, part.Value)
			default:
				return nil, ErrScript
			}
		}
		scripts = append(scripts, s)
	}
	return scripts, nil
}

// Messaging is secure messaging between issuer and card within one transaction, as VIS has it: the
// session keys, and what a command's MAC covers besides the command.
type Messaging struct {
	mac, cipher []byte
	chain       []byte // ATC‖ARQC
}

// NewMessaging derives the session keys of VIS secure messaging from the card's keys for integrity
// (MAC) and confidentiality (see Scheme.CardKey): the halves XOR the ATC and its inverse, right
// aligned. arqc is the transaction's request cryptogram. Error: ErrKey.
func NewMessaging(macKey, cipherKey []byte, atc [2]byte, arqc [8]byte) (Messaging, error) {
	if len(macKey) != keySize || len(cipherKey) != keySize {
		return Messaging{}, ErrKey
	}
	derive := func(key []byte) []byte {
		mask := [keySize]byte{6: atc[0], 7: atc[1], 14: ^atc[0], 15: ^atc[1]}
		derived := make([]byte, keySize)
		subtle.XORBytes(derived, key, mask[:])
		return derived
	}
	return Messaging{derive(macKey), derive(cipherKey), append(atc[:], arqc[:]...)}, nil
}

// Command builds a script command of class 84: header, data and 8 bytes of MAC over header, ATC,
// ARQC and data (VIS, EMV Book 2 §9.2 format 2). Errors: ErrScriptLong.
func (m Messaging) Command(ins, p1, p2 byte, data []byte) ([]byte, error) {
	return m.command(claSecure, ins, p1, p2, data)
}

// PutData builds the command of class 04 that sets a data object with a tag of two bytes. Errors: ErrScriptLong.
func (m Messaging) PutData(tag uint16, value []byte) ([]byte, error) {
	return m.command(claSecureISO, INSPutData, byte(tag>>8), byte(tag), value)
}

func (m Messaging) command(cla, ins, p1, p2 byte, data []byte) ([]byte, error) {
	if len(data) > maxPlainScript {
		return nil, ErrScriptLong
	}
	header := []byte{cla, ins, p1, p2, byte(len(data) + scriptMACSize)}
	sum, err := m.sum(header, data)
	if err != nil {
		return nil, err
	}
	return append(append(header, data...), sum[:]...), nil
}

func (m Messaging) sum(header, data []byte) ([8]byte, error) {
	covered := append(append([]byte{}, header...), m.chain...)
	return Cryptogram(m.mac, append(covered, data...))
}

// Verify is the card's side of Command: it returns the data without the MAC. Errors: ErrScript,
// ErrScriptMAC.
func (m Messaging) Verify(command []byte) ([]byte, error) {
	data, ok := commandData(command)
	if !ok || len(data) < scriptMACSize || command[0] != claSecure && command[0] != claSecureISO {
		return nil, ErrScript
	}
	data, given := data[:len(data)-scriptMACSize], data[len(data)-scriptMACSize:]
	want, err := m.sum(command[:5], data)
	if err != nil || !equal(want[:], given) {
		return nil, ErrScriptMAC
	}
	return data, nil
}

// Encipher makes a command's data confidential (VIS): their length in one byte, the data, padding method 2
// up to whole blocks where they are none yet; TDES in ECB mode. Errors: ErrScriptLong, ErrKey.
func (m Messaging) Encipher(data []byte) ([]byte, error) {
	if len(data) > maxPlainScript-tdes.BlockSize {
		return nil, ErrScriptLong
	}
	plain := append([]byte{byte(len(data))}, data...)
	if len(plain)%tdes.BlockSize != 0 {
		plain = pad80(plain)
	}
	out, err := tdes.Encrypt(m.cipher, plain)
	if err != nil {
		return nil, ErrKey
	}
	return out, nil
}

// Decipher is the card's side of Encipher. Errors: ErrScript, ErrKey.
func (m Messaging) Decipher(data []byte) ([]byte, error) {
	if len(data) == 0 || len(data)%tdes.BlockSize != 0 {
		return nil, ErrScript
	}
	plain, err := tdes.Decrypt(m.cipher, data)
	if err != nil {
		return nil, ErrKey
	}
	n := int(plain[0])
	if rest := plain[1:]; n <= len(rest) && (n == len(rest) || equal(pad80(plain[:1+n]), plain)) {
		return rest[:n], nil
	}
	return nil, ErrScript
}

// OpenPINChange is the card's side of PINChange: it takes the new PIN out of the command's data without their MAC.
// acKey is the card's key for cryptograms; current is the PIN it has, "" when the command is not under it.
// Errors: ErrScript, ErrPIN, ErrKey.
func (m Messaging) OpenPINChange(acKey, data []byte, current string) (string, error) {
	if len(acKey) != keySize {
		return "", ErrKey
	}
	block, err := m.Decipher(data)
	if err != nil {
		return "", err
	}
	if len(block) != tdes.BlockSize {
		return "", ErrScript
	}
	underPIN(block, current)
	subtle.XORBytes(block[4:], block[4:], acKey[4:8])
	pin := strings.TrimRight(strings.ToUpper(hex.EncodeToString(block[1:])), "F")
	if !validPIN(pin) || int(block[0]) != len(pin) {
		return "", ErrPIN
	}
	return pin, nil
}

// underPIN hides a PIN block under the current PIN, or takes it off.
func underPIN(block []byte, current string) {
	if len(current)%2 != 0 {
		current += "0"
	}
	old := bcd(current)
	subtle.XORBytes(block, block[:len(old)], old)
}

// PINChange builds the command that gives the card a new PIN (VIS: P2 02; with the PIN that it had,
// not "", 01). acKey is the card's key for cryptograms. Errors: ErrPIN, ErrKey.
func (m Messaging) PINChange(acKey []byte, pin, current string) ([]byte, error) {
	if len(acKey) != keySize {
		return nil, ErrKey
	}
	if !validPIN(pin) || current != "" && !validPIN(current) {
		return nil, ErrPIN
	}
	block := make([]byte, tdes.BlockSize)
	block[0] = byte(len(pin))
	copy(block[1:], bcd(pin))
	for i := 1 + (len(pin)+1)/2; i < len(block); i++ {
		block[i] = 0xFF
	}
	subtle.XORBytes(block[4:], block[4:], acKey[4:8])
	p2 := PINChangeNew
	if current != "" {
		p2 = PINChangeWithOld
		underPIN(block, current)
	}
	data, err := m.Encipher(block)
	if err != nil {
		return nil, err
	}
	return m.Command(INSPINChange, 0x00, p2, data)
}

func validPIN(pin string) bool { return len(pin) >= 4 && len(pin) <= 12 && decimal(pin) }

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
