package terminal_test

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// hostDoes carries out a line about the host, or about the uplinks to it.
func (s *script) hostDoes(words []string) error {
	switch verb, rest := words[0], words[1:]; verb {
	case "accepts", "refuses", "hangs":
		s.world.mu.Lock()
		s.world.dial = strings.TrimSuffix(verb, "s")
		s.world.mu.Unlock()
	case "backup":
		s.world.mu.Lock()
		s.world.backup = strings.TrimSuffix(rest[0], "s")
		s.world.mu.Unlock()
	case "shows":
		return s.hostShows(rest)
	case "dialled":
		s.world.mu.Lock()
		defer s.world.mu.Unlock()
		if s.world.over != rest[0] {
			return fmt.Errorf("the last dial was over %q", s.world.over)
		}
	case "expects":
		err := s.host.expects(rest)
		s.world.mu.Lock()
		s.dials = s.world.dialled
		s.world.mu.Unlock()
		return err
	case "answers", "trickles":
		pace := time.Duration(0)
		if verb == "trickles" {
			pace, rest = time.Second, rest[1:]
		}
		reply, err := s.host.reply(rest)
		if err != nil {
			return err
		}
		return s.host.send(reply, pace)
	case "sends":
		return s.host.write(unhex(rest[0]))
	case "closes":
		return s.host.conn.Close()
	case "silent": // it read the request and says nothing
	case "hears": // nothing
		s.world.mu.Lock()
		defer s.world.mu.Unlock()
		if s.world.dialled != s.dials {
			return errors.New("the terminal dialled")
		}
	case "sees":
		connected, err := s.host.connected()
		if err == nil && connected != (rest[0] == "connection") {
			err = fmt.Errorf("connected: %v", connected)
		}
		return err
	default:
		return fmt.Errorf("unknown word %q", verb)
	}
	return nil
}
