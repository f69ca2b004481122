package injector

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Token gives the token that the file holds; a file that does not exist is made with a new one,
// for its owner alone.
func Token(path string) (string, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		token := rand.Text()
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return "", err
		}
		_, err = fmt.Fprintln(f, token)
		return token, errors.Join(err, f.Close())
	}
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if len(token) < MinToken || len(token) > MaxToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("%s: a token is one line of %d to %d visible characters; remove the file for a new one", path, MinToken, MaxToken)
	}
	return token, nil
}
