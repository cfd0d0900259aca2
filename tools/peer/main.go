// Command peer is PocketBase as it ships, at the version of go.mod: the program that its
// own documentation builds. It is a module of its own, so that it keeps its own versions of
// what both use. `make bench-peer` puts it beside tianbao.
package main

import (
	"fmt"
	"os"

	"github.com/pocketbase/pocketbase"
)

func main() {
	if err := pocketbase.New().Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
