package rigs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// secretMax bounds a file that holds a secret, in bytes.
const secretMax = 4096

// fromEnvironment is a reference to a variable of the environment.
var fromEnvironment = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// Reveal replaces the references in a word of a rig file by what they refer to: ${NAME} by a variable
// of the environment, "file:path" (the whole word) by the content of a file, relative to dir. The
// secrets that were put in are returned too, for masking; a word without references comes back as it is.
func Reveal(dir, word string) (value string, secrets []string, err error) {
	if name, ok := strings.CutPrefix(word, "file:"); ok {
		content, err := readSecret(relativeTo(dir, name))
		if err != nil {
			return "", nil, err
		}
		return content, []string{content}, nil
	}
	value = fromEnvironment.ReplaceAllStringFunc(word, func(reference string) string {
		name := fromEnvironment.FindStringSubmatch(reference)[1]
		content, set := os.LookupEnv(name)
		if !set || content == "" {
			err = fmt.Errorf("the variable %s is not set in the environment; set it, or refer to a file: file:path", name)
			return ""
		}
		secrets = append(secrets, content)
		return content
	})
	if err != nil {
		return "", nil, err
	}
	return value, secrets, nil
}

func readSecret(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(file, secretMax+1))
	content := strings.TrimRight(string(data), "\r\n")
	switch {
	case err != nil:
		return "", err
	case len(data) > secretMax:
		return "", fmt.Errorf("%s is longer than %d bytes: it holds no secret", path, secretMax)
	case content == "":
		return "", fmt.Errorf("%s is empty", path)
	}
	return content, nil
}

// relativeTo takes a path of a rig file as relative to the file's folder.
func relativeTo(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
