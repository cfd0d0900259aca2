package db

import "testing"

func TestNumbered(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", `a = $1 AND b = $12`, `a = ?1 AND b = ?12`},
		{"out of order, twice", `$2 $1 $2`, `?2 ?1 ?2`},
		{"in quotes", `'$1 ''$2' "$3" $4`, `'$1 ''$2' "$3" ?4`},
		{"in a line comment", "-- $1\n$2", "-- $1\n?2"},
		{"in a comment", `/* $1 */ $2`, `/* $1 */ ?2`},
		{"no number", `$ $a a$`, `$ $a a$`},
		{"open quote", `'$1`, `'$1`},
		{"open comment", `/* $1`, `/* $1`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := numbered(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestForEngine(t *testing.T) {
	const in = `id BIGINT PRIMARY KEY, a TEXT NOT NULL /*postgres DEFAULT 'p'*/ /* both */)/*sqlite WITHOUT ROWID*/;`
	tests := []struct {
		kind Kind
		want string
	}{
		{SQLite, `id INTEGER PRIMARY KEY, a TEXT NOT NULL  /* both */) WITHOUT ROWID;`},
		{Postgres, `id BIGINT PRIMARY KEY, a TEXT COLLATE "C" NOT NULL  DEFAULT 'p' /* both */);`},
	}
	for _, tt := range tests {
		t.Run(tt.kind.String(), func(t *testing.T) {
			if got := ForEngine(tt.kind, in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPadIn(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 4, 4: 4, 17: 64, 201: MaxIn, MaxIn: MaxIn} {
		if got := PadIn(make([]any, n)); len(got) != want {
			t.Errorf("%d values became %d, want %d", n, len(got), want)
		}
	}
}

func FuzzNumbered(f *testing.F) {
	f.Add(`SELECT '$1' -- $2` + "\n" + `/* $3 */ $4`)
	f.Fuzz(func(t *testing.T, s string) {
		if got := numbered(s); len(got) != len(s) {
			t.Errorf("%q became %q", s, got)
		}
	})
}
