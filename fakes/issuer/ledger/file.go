package ledger

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Recovery says what Open found.
type Recovery struct {
	// Entries of the books that are in force; those before the last Reset are not counted.
	Entries int
	// Torn is how many bytes of an unfinished last line were cut off: a posting that was being
	// written when the process or the power died, and that nobody was told of.
	Torn int64
}

// file is where the books are kept. Lines are only ever appended.
type file struct {
	path   string
	out    *os.File
	number uint64 // of the last record
	end    int64  // of the last record
	sync   bool
	broken error // why nothing can be written any more
	line   []byte
}

// Open reads books from a file, which is made if there is none, and keeps them there. Each entry is
// written with one write, before Post returns. An unfinished last line is cut off; anything else that
// is not right is an ErrFile with the line and what to do. The file belongs to one process at a time.
//
// The accounts must be those that the books in the file were opened with.
func Open(path string, c Config) (*Book, Recovery, error) {
	b, err := New(c)
	if err != nil {
		return nil, Recovery{}, err
	}
	out, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, Recovery{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	f := &file{path: path, out: out, sync: c.Sync}
	r, err := b.recover(f, c.Accounts)
	if err != nil {
		_ = out.Close() // nothing was written
		return nil, Recovery{}, err
	}
	b.file = f
	return b, r, nil
}

// recover locks and reads the file, cuts off a torn end, and opens the books in an empty one.
func (b *Book) recover(f *file, accounts []Account) (r Recovery, err error) {
	if err := lock(f.out); err != nil {
		return r, fmt.Errorf("%w: %s: is it in use by another process? %w", ErrFile, f.path, err)
	}
	if err := b.replay(f, accounts); err != nil {
		return r, err
	}
	size, err := f.out.Seek(0, io.SeekEnd)
	if err != nil {
		return r, f.fail(err)
	}
	r = Recovery{Entries: len(b.items), Torn: size - f.end}
	if err := f.rewind(); err != nil {
		return r, err
	}
	if f.number == 0 {
		return r, f.writeOpening(accounts)
	}
	return r, b.check()
}

// replay posts every whole record of the file.
func (b *Book) replay(f *file, accounts []Account) error {
	in := bufio.NewReaderSize(f.out, maxRecord)
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return nil // what is in line was never finished
		case errors.Is(err, bufio.ErrBufferFull):
			return f.wrong(fmt.Errorf("a line of more than %d bytes", maxRecord))
		case err != nil:
			return f.fail(err)
		}
		object, err := parseRecord(string(bytes.TrimSuffix(line, []byte("\n"))), f.number+1)
		if err == nil {
			err = b.repeat(object, accounts)
		}
		switch {
		case errors.Is(err, errAccounts):
			return fmt.Errorf("%w: %s:%d: %w", ErrFile, f.path, f.number+1, err)
		case err != nil:
			return f.wrong(err)
		}
		f.number++
		f.end += int64(len(line))
	}
}

// errAccounts: nothing is wrong with the file, but it is not for these cards.
var errAccounts = errors.New("the books were opened with other accounts or balances; give these cards a file of their own")

// repeat posts a record again.
func (b *Book) repeat(object []byte, accounts []Account) error {
	kind, err := kindOf(object)
	if err != nil {
		return err
	}
	if kind == kindOpen {
		var o opening
		if err := unmarshal(object, &o); err != nil {
			return err
		}
		if !o.fits(accounts) {
			return errAccounts
		}
		return b.open(accounts)
	}
	var e Entry
	if err := unmarshal(object, &e); err != nil {
		return err
	}
	if err := b.room(e); err != nil {
		return err
	}
	e.Seq = uint64(len(b.items)) + 1
	p, err := b.plan(&e)
	if err != nil {
		return err
	}
	b.commit(e, p)
	return nil
}

// unmarshal takes no key that it does not know: a file of a later version is not read by halves.
func unmarshal(object []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(object))
	d.DisallowUnknownFields()
	if err := d.Decode(out); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return nil
}

// fits says whether books were opened with these accounts.
func (o opening) fits(accounts []Account) bool {
	return slices.Equal(o.Accounts, openingOf(accounts).Accounts)
}

func openingOf(accounts []Account) opening {
	o := opening{Kind: kindOpen, At: time.Now(), Accounts: make([]openingAccount, 0, len(accounts))}
	for _, a := range accounts {
		o.Accounts = append(o.Accounts, openingAccount(a))
	}
	slices.SortFunc(o.Accounts, func(a, b openingAccount) int { return strings.Compare(a.ID, b.ID) })
	return o
}

func (f *file) writeOpening(accounts []Account) error { return f.append(openingOf(accounts)) }

func (f *file) write(e Entry) error { return f.append(e) }

// append writes one record. When that fails, what was written of it is taken back; when even that fails, the
// file takes no more.
func (f *file) append(value any) error {
	if f.broken != nil {
		return f.broken
	}
	var err error
	if f.line, err = appendRecord(f.line[:0], f.number+1, value); err != nil {
		return f.fail(err)
	}
	if len(f.line) > maxRecord {
		return f.fail(fmt.Errorf("a record of more than %d bytes", maxRecord))
	}
	_, err = f.out.Write(f.line)
	if err == nil && f.sync {
		err = f.out.Sync()
	}
	if err != nil {
		if again := f.rewind(); again != nil {
			f.broken = again
		}
		return f.fail(err)
	}
	f.number++
	f.end += int64(len(f.line))
	return nil
}

// rewind cuts the file off after its last whole record, where the next one is to be written.
func (f *file) rewind() error {
	err := f.out.Truncate(f.end)
	if err == nil {
		_, err = f.out.Seek(f.end, io.SeekStart)
	}
	if err != nil {
		return f.fail(err)
	}
	return nil
}

// fail is an error of the file as a whole.
func (f *file) fail(err error) error { return fmt.Errorf("%w: %s: %w", ErrFile, f.path, err) }

// wrong is an error in the line after the last good record.
func (f *file) wrong(err error) error {
	return fmt.Errorf("%w: %s:%d: %w; the lines before it are good: move the file away, or cut it there if what follows may be lost",
		ErrFile, f.path, f.number+1, err)
}

// Close closes the books' file. Books in memory need no closing.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil || errors.Is(b.file.broken, os.ErrClosed) {
		return nil
	}
	b.file.broken = fmt.Errorf("%w: %s: %w", ErrFile, b.file.path, os.ErrClosed)
	if err := b.file.out.Close(); err != nil {
		return b.file.fail(err)
	}
	return nil
}
