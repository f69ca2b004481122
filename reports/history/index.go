// Package history keeps an index of run folders in one SQLite file, so that a trend over a thousand runs takes no
// server and no minute. The folders are the truth: the index can be deleted and made again from them at any time, and
// what it says of a folder that is gone or has changed is dropped at the next indexing.
package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

// DefaultName is the index's file, beside the run folders.
const DefaultName = "history.db"

// schemaVersion is SQLite's user_version of an index of ours. An index of another version is made again.
const schemaVersion = 2

const schema = `
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, dir TEXT NOT NULL UNIQUE, mark TEXT NOT NULL, started INTEGER NOT NULL, rig TEXT NOT NULL, firmware TEXT NOT NULL,
  version TEXT NOT NULL, planted INTEGER NOT NULL, complete INTEGER NOT NULL,
  planned INTEGER NOT NULL, passed INTEGER NOT NULL, marginal INTEGER NOT NULL, failed INTEGER NOT NULL, inconclusive INTEGER NOT NULL, skipped INTEGER NOT NULL, not_run INTEGER NOT NULL
);
CREATE TABLE results (
  run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, name TEXT NOT NULL, scenario TEXT NOT NULL, profile TEXT NOT NULL, lang TEXT NOT NULL,
  attempt INTEGER NOT NULL, started INTEGER NOT NULL, verdict TEXT NOT NULL, cause TEXT NOT NULL, why TEXT NOT NULL, firmware TEXT NOT NULL, rig TEXT NOT NULL,
  digest TEXT NOT NULL, timeline TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX results_key ON results (scenario, profile, lang, started);
CREATE INDEX results_run ON results (run);
`

// Index is an open index. It is safe for use by several goroutines.
type Index struct {
	db   *sql.DB
	path string
	of   *sql.Stmt
}

// Open opens an index, or begins one. One of another version is begun anew.
func Open(path string) (*Index, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	x, err := open(path)
	if errors.Is(err, errOtherVersion) {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
		x, err = open(path)
	}
	return x, err
}

var errOtherVersion = errors.New("the index is of another version")

func open(path string) (*Index, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_pragma=synchronous(off)")
	if err != nil {
		return nil, err
	}
	x := &Index{db: db, path: path}
	if err := x.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	return x, nil
}

func (x *Index) prepare() error {
	var version, tables int
	if err := x.db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("it is no index; delete it, and it is made again: %w", err)
	}
	if err := x.db.QueryRow("SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return err
	}
	switch {
	case tables == 0:
		if _, err := x.db.Exec(schema + fmt.Sprintf("PRAGMA user_version = %d;", schemaVersion)); err != nil {
			return err
		}
	case version != schemaVersion:
		return errOtherVersion
	}
	var err error
	x.of, err = x.db.Prepare(`SELECT runs.dir, results.started, verdict, cause, results.firmware, results.rig, digest, timeline, detail
		FROM results JOIN runs ON runs.id = results.run
		WHERE scenario = ? AND profile = ? AND lang = ? AND results.started < ? AND planted = 0 ORDER BY results.started DESC, results.rowid DESC LIMIT ?`)
	return err
}

// Close closes the index.
func (x *Index) Close() error { return errors.Join(x.of.Close(), x.db.Close()) }

// Changes is what an indexing did.
type Changes struct {
	Added, Unchanged, Gone int
	// Unread are folders that could not be read, with the reason.
	Unread []error
}

// Update brings the index up to the run folders at or below some folders. Folders of the index that are gone from
// the disk are dropped from it, wherever they were.
func (x *Index) Update(ctx context.Context, roots ...string) (c Changes, err error) {
	var dirs []string
	for _, root := range roots {
		found, err := reports.Find(root)
		if err != nil {
			return c, err
		}
		for _, dir := range found {
			if dir, err = filepath.Abs(dir); err != nil {
				return c, err
			}
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return c, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if c.Gone, err = dropGone(ctx, tx); err != nil {
		return c, err
	}
	for _, dir := range slices.Compact(dirs) {
		added, err := addRun(ctx, tx, dir)
		switch {
		case errors.As(err, new(*unreadError)):
			c.Unread = append(c.Unread, err)
		case err != nil:
			return c, err
		case added:
			c.Added++
		default:
			c.Unchanged++
		}
	}
	return c, tx.Commit()
}

// unreadError is a folder that can't be indexed; the others can.
type unreadError struct{ err error }

func (e *unreadError) Error() string { return e.err.Error() }
func (e *unreadError) Unwrap() error { return e.err }

// mark tells whether a folder has changed: its results and its summary.
func mark(dir string) (string, error) {
	var m string
	for _, name := range []string{reports.ResultsFile, reports.SummaryFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		m += fmt.Sprintf("%d@%d ", info.Size(), info.ModTime().UnixNano())
	}
	return m, nil
}

func dropGone(ctx context.Context, tx *sql.Tx) (int, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, dir FROM runs")
	if err != nil {
		return 0, err
	}
	var gone []int64
	for rows.Next() {
		var id int64
		var dir string
		if err := rows.Scan(&id, &dir); err != nil {
			return 0, errors.Join(err, rows.Close())
		}
		if _, err := os.Stat(filepath.Join(dir, reports.ResultsFile)); errors.Is(err, fs.ErrNotExist) {
			gone = append(gone, id)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	for _, id := range gone {
		if _, err := tx.ExecContext(ctx, "DELETE FROM runs WHERE id = ?", id); err != nil {
			return 0, err
		}
	}
	return len(gone), nil
}

// detailOf is what is kept of a result for comparisons.
func detailOf(r record.Result) (d reports.Detail) {
	for _, c := range r.Checks {
		if c.Budget != "" {
			d.Checks = append(d.Checks, c)
		}
	}
	for _, e := range r.Evidence {
		if e.Kind == record.Journal {
			d.Evidence = append(d.Evidence, e)
		}
	}
	return d
}

func digestsOf(run *reports.Run) map[string]string {
	digests := map[string]string{}
	for _, item := range run.Plan.Items {
		digests[item.Name] = item.Digest
	}
	return digests
}

// startOf is when a result began. One that doesn't say, or says it in a time of its own, began when its run did.
func startOf(run *reports.Run, r record.Result) time.Time {
	if r.Started.Before(run.Summary.Started) || r.Rig == reports.VirtualRig {
		return run.Summary.Started
	}
	return r.Started
}

func addRun(ctx context.Context, tx *sql.Tx, dir string) (added bool, err error) {
	m, err := mark(dir)
	if err != nil {
		return false, &unreadError{err}
	}
	var before string
	err = tx.QueryRowContext(ctx, "SELECT mark FROM runs WHERE dir = ?", dir).Scan(&before)
	switch {
	case err == nil && before == m:
		return false, nil
	case err == nil:
		if _, err := tx.ExecContext(ctx, "DELETE FROM runs WHERE dir = ?", dir); err != nil {
			return false, err
		}
	case !errors.Is(err, sql.ErrNoRows):
		return false, err
	}
	run, err := reports.Open(dir)
	if err != nil {
		return false, &unreadError{err}
	}
	s := run.Summary
	firmware := ""
	if len(s.Firmware) > 0 {
		firmware = s.Firmware[len(s.Firmware)-1]
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO runs (dir, mark, started, rig, firmware, version, planted, complete, planned, passed, marginal, failed, inconclusive, skipped, not_run)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`, dir, m, s.Started.UnixMicro(), s.Rig, firmware, s.Version, len(s.Defects)+len(s.BenchFaults) > 0, s.Complete,
		s.Planned, s.Passed, s.Marginal, s.Failed, s.Inconclusive, s.Skipped, s.NotRun)
	if err != nil {
		return false, err
	}
	id, err := res.LastInsertId()
	if err != nil {
		return false, err
	}
	return true, addResults(ctx, tx, id, run)
}

func addResults(ctx context.Context, tx *sql.Tx, id int64, run *reports.Run) error {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO results (run, name, scenario, profile, lang, attempt, started, verdict, cause, why, firmware, rig, digest, timeline, detail)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	digests := digestsOf(run)
	for _, r := range run.Results {
		b, err := json.Marshal(detailOf(r))
		if err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, id, r.ID(), r.Scenario, r.Profile, r.Lang, max(r.Attempt, 1), startOf(run, r).UnixMicro(), string(r.Verdict), string(r.Cause), r.Why,
			r.Firmware, r.Rig, digests[r.ID()], r.Timeline, string(b)); err != nil {
			return err
		}
	}
	return nil
}

// Of implements reports.Past. Runs in which something was planted are none of a terminal's past.
func (x *Index) Of(r record.Result, before time.Time, n int) ([]reports.Earlier, error) {
	rows, err := x.of.Query(r.Scenario, r.Profile, r.Lang, before.UnixMicro(), rungsTimes*n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []reports.Earlier
	for rows.Next() {
		var e reports.Earlier
		var started int64
		var text []byte
		if err := rows.Scan(&e.Dir, &started, &e.Verdict, &e.Cause, &e.Firmware, &e.Rig, &e.Digest, &e.Timeline, &text); err != nil {
			return nil, err
		}
		e.Started = time.UnixMicro(started).UTC()
		e.Detail = func() (d reports.Detail, err error) { // one of many is compared: the others need not be decoded
			err = json.Unmarshal(text, &d)
			return d, err
		}
		all = append(all, e)
	}
	return sameRung(all, r.Rig, n), rows.Err()
}

// rungsTimes is how many more results are looked at than are wanted: those of other rungs go.
const rungsTimes = 3

// sameRung leaves of a past what was on the same rung, if anything was: a simulated terminal's past is not a lab's.
func sameRung(all []reports.Earlier, rig string, n int) []reports.Earlier {
	same := slices.DeleteFunc(slices.Clone(all), func(e reports.Earlier) bool { return reports.RungOf(e.Rig) != reports.RungOf(rig) })
	if len(same) == 0 {
		same = all
	}
	return same[:min(n, len(same))]
}
