package record

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the event as encoding/json writes it. A timeline has hundreds of events a scenario, each of which must be on
// disk before the next thing happens.
func (e Event) AppendJSON(b []byte) []byte {
	b = append(b, `{"seq":`...)
	b = strconv.AppendInt(b, int64(e.Seq), 10)
	b = append(b, `,"us":`...)
	b = strconv.AppendInt(b, e.US, 10)
	b = append(b, `,"wall":"`...)
	b = e.Wall.AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","source":`...)
	b = appendString(b, e.Source)
	b = append(b, `,"kind":`...)
	b = appendString(b, e.Kind)
	if len(e.Fields) > 0 {
		var most [16]string
		names := slices.AppendSeq(most[:0], maps.Keys(e.Fields))
		slices.Sort(names)
		for i, name := range names {
			if i == 0 {
				b = append(b, `,"fields":{`...)
			} else {
				b = append(b, ',')
			}
			b = appendString(b, name)
			b = append(b, ':')
			b = appendString(b, e.Fields[name])
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendString appends a JSON string. What is more than letters of any script and ends of lines is rare, and left to
// encoding/json.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	done := 0
	for i, r := range s {
		switch {
		case r == '\n':
			b = append(append(b, s[done:i]...), `\n`...)
			done = i + 1
		case r < ' ', r == '"', r == '\\', r == '<', r == '>', r == '&', r == '\u2028', r == '\u2029', r == utf8.RuneError:
			quoted, err := json.Marshal(s[i:])
			if err != nil {
				panic(err) // every string has a JSON form
			}
			return append(append(b, s[done:i]...), quoted[1:]...)
		}
	}
	return append(append(b, s[done:]...), '"')
}
