package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// Prints a line for each name: its addresses, or why there are none.
func main() {
	for _, name := range os.Args[1:] {
		addresses, err := net.LookupHost(name)
		var failure *net.DNSError
		if errors.As(err, &failure) && failure.IsNotFound {
			fmt.Println(name, "none")
		} else if err != nil {
			fmt.Println(name, err)
		} else {
			fmt.Println(name, strings.Join(addresses, " "))
		}
	}
}
