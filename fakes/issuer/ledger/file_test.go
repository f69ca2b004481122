package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func openBook(t testing.TB, path string) (*Book, Recovery) {
	t.Helper()
	b, r, err := Open(path, Config{Accounts: testAccounts()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b, r
}

// written is a file with three entries, closed.
func written(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "books")
	b, _ := openBook(t, path)
	sale := post(t, b, charge(1250))
	post(t, b, hold(300))
	post(t, b, undo(sale))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBooksAreReadAgain(t *testing.T) {
	path := written(t)
	b, r := openBook(t, path)
	if r != (Recovery{Entries: 3}) {
		t.Errorf("%+v", r)
	}
	money(t, b, 9700, 300, 0)
	post(t, b, charge(700))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Post(charge(1)); !errors.Is(err, ErrFile) || !errors.Is(err, os.ErrClosed) {
		t.Errorf("posted to closed books: %v", err)
	}
	b, _ = openBook(t, path)
	money(t, b, 9000, 300, 0)
}

// A posting that was being written when the process died is cut off, at whatever byte.
func TestATornLastLineIsCutOff(t *testing.T) {
	path := written(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := strings.LastIndexByte(strings.TrimSuffix(string(whole), "\n"), '\n') + 1
	for cut := last + 1; cut < len(whole); cut++ {
		torn := filepath.Join(t.TempDir(), "torn")
		if err := os.WriteFile(torn, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		b, r := openBook(t, torn)
		if want := (Recovery{Entries: 2, Torn: int64(cut - last)}); r != want {
			t.Fatalf("cut at %d: %+v, want %+v", cut, r, want)
		}
		money(t, b, 8450, 300, 0)
		post(t, b, charge(50))
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		b, r = openBook(t, torn)
		if r != (Recovery{Entries: 3}) {
			t.Fatalf("cut at %d, then written: %+v", cut, r)
		}
		money(t, b, 8400, 300, 0)
		_ = b.Close()
	}
}

func TestDamagedFilesAreRefusedWithTheirLine(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(lines []string) []string
		want   string
	}{
		{"a digit changed", func(l []string) []string { l[1] = strings.Replace(l[1], "1250", "1251", 1); return l }, ":2: the record is damaged: its checksum"},
		{"a line gone", func(l []string) []string { return append(l[:1], l[2:]...) }, ":2: the record is damaged: it is number"},
		{"a line twice", func(l []string) []string { return append([]string{l[0], l[1]}, l[1:]...) }, ":3: the record is damaged: it is number"},
		{"no record", func(l []string) []string { l[2] = "hello"; return l }, ":3: the record is damaged"},
		{"an empty line", func(l []string) []string { l[0] = ""; return l }, ":1: the record is damaged"},
		{"a long line", func(l []string) []string { l[3] = strings.Repeat("x", maxRecord+1); return l }, ":4: a line of more than"},
		{"an entry that cannot be", func(l []string) []string {
			l[3] = record(t, 4, Entry{Kind: Undo, Of: 9})
			return l
		}, ":4: ledger: unknown account or entry"},
		{"an overdraft", func(l []string) []string {
			l[3] = record(t, 4, charge(9999))
			return l
		}, ":4: ledger: insufficient funds"},
		{"a later version", func(l []string) []string {
			l[3] = record(t, 4, map[string]string{"kind": "note", "colour": "red"})
			return l
		}, `:4: the record is damaged: json: unknown field "colour"`},
		{"not JSON", func(l []string) []string { l[3] = record(t, 4, "text"); return l }, ":4: the record is damaged: not a JSON object"},
		{"other accounts", func(l []string) []string {
			l[0] = record(t, 1, openingOf([]Account{{ID: "gold", Opening: 1}}))
			return l
		}, ":1: the books were opened with other accounts"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := written(t)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := tt.change(strings.Split(strings.TrimSuffix(string(data), "\n"), "\n"))
			data = []byte(strings.Join(lines, "\n") + "\n")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			_, _, err = Open(path, Config{Accounts: testAccounts()})
			if !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), path+tt.want) ||
				!strings.Contains(err.Error(), "move the file away") && !strings.Contains(err.Error(), "a file of their own") {
				t.Errorf("%v, want %q and what to do", err, tt.want)
			}
			after, err := os.ReadFile(path)
			if err != nil || string(after) != string(data) {
				t.Errorf("the refused file was changed: %v", err)
			}
		})
	}
}

func record(t *testing.T, number uint64, value any) string {
	t.Helper()
	line, err := appendRecord(nil, number, value)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(line), "\n")
}

func TestAFileBelongsToOneProcess(t *testing.T) {
	path := written(t)
	openBook(t, path)
	if _, _, err := Open(path, Config{Accounts: testAccounts()}); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v", err)
	}
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	if _, _, err := Open(t.TempDir(), Config{}); !errors.Is(err, ErrFile) {
		t.Errorf("a folder: %v", err)
	}
	if _, _, err := Open("none", Config{Accounts: []Account{{}}}); !errors.Is(err, ErrEntry) {
		t.Errorf("bad accounts: %v", err)
	}
	if _, err := os.Stat("none"); err == nil {
		t.Error("a file was made for books that cannot be")
	}
}

// What cannot be written is not posted, and books whose file is broken take nothing more.
func TestAFailedWritePostsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books")
	b, _ := openBook(t, path)
	post(t, b, charge(100))
	if err := b.file.out.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := b.Post(charge(100)); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v", err)
		}
	}
	if err := b.Reset(testAccounts()); !errors.Is(err, ErrFile) {
		t.Errorf("reset: %v", err)
	}
	money(t, b, 9900, 0, 0)
}

// What is left of a failed write is cut off after the last whole record, not before.
func TestAFailedWriteIsCutOff(t *testing.T) {
	path := written(t)
	b, _ := openBook(t, path)
	post(t, b, charge(100))
	if _, err := b.file.out.WriteString("0badc0de 6 {"); err != nil {
		t.Fatal(err)
	}
	if err := b.file.rewind(); err != nil {
		t.Fatal(err)
	}
	post(t, b, charge(100))
	_ = b.Close()
	b, r := openBook(t, path)
	if r != (Recovery{Entries: 5}) {
		t.Errorf("%+v", r)
	}
	money(t, b, 9500, 300, 0)
}

func TestResetStaysInTheFile(t *testing.T) {
	path := written(t)
	b, _ := openBook(t, path)
	if err := b.Reset(testAccounts()); err != nil {
		t.Fatal(err)
	}
	post(t, b, charge(77))
	_ = b.Close()
	b, r := openBook(t, path)
	if r.Entries != 1 {
		t.Errorf("%+v", r)
	}
	money(t, b, 9923, 0, 0)
}

func TestSyncedBooks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books")
	b, _, err := Open(path, Config{Accounts: testAccounts(), Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	post(t, b, charge(100))
	_ = b.Close()
	b, _ = openBook(t, path)
	money(t, b, 9900, 0, 0)
}

func TestAFileLongerThanTheLimit(t *testing.T) {
	if _, _, err := Open(written(t), Config{Accounts: testAccounts(), Limit: 1}); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
}

// Any file is either books that prove themselves or an error, and never a panic.
func FuzzOpen(f *testing.F) {
	data, err := os.ReadFile(written(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)-7])
	f.Add([]byte("00000000 1 {}\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "books")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		b, _, err := Open(path, Config{Accounts: testAccounts()})
		if err != nil {
			return
		}
		defer b.Close()
		if err := b.Check(); err != nil {
			t.Error(err)
		}
		if _, err := b.Post(charge(1)); err != nil && !errors.Is(err, ErrFunds) {
			t.Error(err)
		}
	})
}

// FuzzRecord goes past the checksum, which FuzzOpen will not guess.
func FuzzRecord(f *testing.F) {
	for _, object := range []string{
		`{"kind":"charge","account":"chip","terminal":"T1","currency":"156","amount":5}`, `{"kind":"undo","of":1}`,
		`{"kind":"hold","account":"chip","currency":"156","amount":5,"ceiling":6}`, `{"kind":"capture","of":2,"amount":6,"final":true}`,
		`{"kind":"refund","of":1,"amount":-1}`, `{"kind":"open"}`, `{"kind":"settle","terminal":"T1","currency":"156"}`, `[]`, `{`,
	} {
		f.Add([]byte(object), []byte(`{"kind":"undo","of":3}`))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		b := newBook(t)
		if _, err := b.Post(charge(10)); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Post(hold(10)); err != nil {
			t.Fatal(err)
		}
		for _, object := range [][]byte{first, second} {
			_ = b.repeat(object, testAccounts()) // refused or not
			if err := b.Check(); err != nil {
				t.Fatalf("%s: %v", object, err)
			}
		}
	})
}

func BenchmarkPost(bench *testing.B) {
	for name, inFile := range map[string]bool{"memory": false, "file": true} {
		bench.Run(name, func(bench *testing.B) {
			c := Config{Accounts: []Account{{ID: "chip", Opening: MaxOpening}}, Limit: 1 << 24}
			b, err := New(c)
			if inFile {
				b, _, err = Open(filepath.Join(bench.TempDir(), "books"), c)
			}
			if err != nil {
				bench.Fatal(err)
			}
			defer b.Close()
			e := charge(5)
			e.Memo = Memo{Operation: "purchase", MTI: "0200", Identity: "TERM0001|000001|120000|0101", STAN: "000001",
				RRN: "000000000001", Auth: "000001", Code: "00", Reason: "approved", Transmission: "0101120000", Time: "120000", Date: "0101"}
			bench.ReportAllocs()
			for bench.Loop() {
				if _, err := b.Post(e); err != nil {
					bench.Fatal(err)
				}
			}
		})
	}
}
