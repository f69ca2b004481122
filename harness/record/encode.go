package record

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
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

// appendString appends a JSON string; what is more than plain ASCII is left to encoding/json.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic(err) // every string has a JSON form
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
