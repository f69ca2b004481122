package terminal

import (
	"context"
	"errors"
	"net"
	"time"
)

// The ways to the host, by the names that Hardware.Dial knows.
const (
	uplinkPrimary = "primary"
	uplinkBackup  = "backup"
)

// dial opens a connection over the primary uplink, or over the backup where the terminal has one and the
// primary gives none. Nothing has been sent yet, so that changing over can't send anything twice. Once on the
// backup it stays there for Timers.SwitchBack, and then tries the primary again.
func (a *app) dial(ctx context.Context) (net.Conn, error) {
	if err := a.carrier(); err != nil {
		return nil, err
	}
	failure := errNoConnection
	for _, uplink := range a.uplinks() {
		for range max(1, a.profile.Timers.DialTries) {
			conn, err := a.dialOver(ctx, uplink)
			switch {
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case err == nil:
				a.settleOn(uplink)
				return conn, nil
			case errors.Is(err, errCertificate) || errors.Is(failure, errCertificate):
				failure = errCertificate // worth more than that the other uplink is dead, too
			case errors.Is(err, errDialTimeout) && !a.defects.has(defectDialAsRefused):
				failure = errDialTimeout
			default:
				failure = errNoConnection
			}
		}
	}
	return nil, failure
}

// What a modem lacks.
var (
	ErrNoSIM    = errors.New("no SIM card")
	ErrNoSignal = errors.New("no signal that would carry a call")
)

// How a transaction ends whose modem can't dial; nothing was sent.
var (
	errNoSIM    = ending{promptNoSIM}
	errNoSignal = ending{promptNoSignal}
)

// carrier asks the modem, where there is one, before anything is dialled.
func (a *app) carrier() error {
	if !a.profile.Has("modem") || a.hw.Modem == nil || a.defects.has(defectModemUnasked) {
		return nil
	}
	switch err := a.hw.Modem(); {
	case errors.Is(err, ErrNoSIM):
		return errNoSIM
	case err != nil:
		return errNoSignal
	}
	return nil
}

// unsent says that a request can't have left: there was no way to the host.
func unsent(err error) bool {
	for _, way := range []error{errNoConnection, errDialTimeout, errNoSIM, errNoSignal} {
		if errors.Is(err, way) {
			return true
		}
	}
	return false
}

// uplinks are the ways to try, in order.
func (a *app) uplinks() []string {
	stays := a.profile.Timers.SwitchBack
	switch {
	case !a.profile.Has("backup-uplink"), a.defects.has(defectNoFailover):
		return []string{uplinkPrimary}
	case !a.backupSince.IsZero() && (time.Since(a.backupSince) < stays || a.defects.has(defectNeverBack)):
		return []string{uplinkBackup, uplinkPrimary}
	}
	return []string{uplinkPrimary, uplinkBackup}
}

// settleOn notes over which uplink it went.
func (a *app) settleOn(uplink string) {
	switch {
	case uplink == uplinkPrimary:
		a.backupSince = time.Time{}
	case a.backupSince.IsZero() || time.Since(a.backupSince) >= a.profile.Timers.SwitchBack:
		a.backupSince = time.Now()
	}
}
