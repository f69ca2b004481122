package robot

import (
	"fmt"
	"strings"
)

// fluidRing is the receive buffer of FluidNC over USB on an ESP32-S3.
const fluidRing = 1040

// errReadOnly is FluidNC's answer to a write to a shadow setting (Error.h).
const errReadOnly = 162

func (m *machine) fluid() bool { return m.cfg.Firmware == FluidNC }

func (m *machine) greeting() string {
	if m.fluid() {
		return "\r\nGrbl 3.9 [FluidNC v3.9.1 (noradio) '$' for help]\r\n"
	}
	return "\r\nGrbl 1.1h ['$' for help]\r\n"
}

func (m *machine) ringSize() int {
	if m.fluid() {
		return fluidRing
	}
	return rxUsable
}

// build is $I.
func (m *machine) build() {
	if m.fluid() {
		m.print("[VER:3.9 FluidNC v3.9.1 (noradio):]\r\n[OPT:PHS]\r\n[MSG:Machine: finger]\r\n")
		return
	}
	m.print("[VER:1.1h.20190825:]\r\n[OPT:V,15,128]\r\n")
}

// hidden says that a setting of GRBL has no number on FluidNC.
func (m *machine) hidden(n int) bool {
	return m.fluid() && (n < reportMask || n > reportMask && n < inches || n > homingDir && n < 30 || n == 31)
}

// tree is $/…, a place in FluidNC's configuration; false when it is none that is known.
func (m *machine) tree(rest string) bool {
	name := strings.ToLower(rest)
	values := map[string]float64{"/stepping/idle_ms": m.set[1]}
	for i, axis := range "xyz" {
		place := fmt.Sprintf("/axes/%c/", axis)
		values[place+"max_rate_mm_per_min"] = m.set[maxRate0+i]
		values[place+"acceleration_mm_per_sec2"] = m.set[accel0+i]
		values[place+"max_travel_mm"] = m.set[travel0+i]
	}
	value, known := values[name]
	if known {
		m.print(fmt.Sprintf("$%s=%.3f\r\n", name, value))
	}
	return known
}
