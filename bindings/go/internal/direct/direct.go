// Package direct calls the library from C in a loop: the benchmark of the binding compares itself with it.
package direct

// #cgo pkg-config: marlin
// #include "direct.h"
import "C"

import (
	"errors"
	"time"
)

// Multiply times so many multiplies of m rows by k x n weights on one CPU thread.
func Multiply(m, k, n, calls int) (time.Duration, error) {
	took := C.go_marlin_direct(C.int64_t(m), C.int64_t(k), C.int64_t(n), C.int64_t(calls))
	if took < 0 {
		return 0, errors.New("a multiply from C failed")
	}
	return time.Duration(took), nil
}
