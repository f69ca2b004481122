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
