// Statuses and errors.

package marlin

// #include "native.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// Status is what happened, and who must act. It is an error, so that errors.Is(err, marlin.NotSupported) works on what
// the calls of this package return.
type Status int32

const (
	Success           Status = C.MARLIN_SUCCESS
	InvalidArgument   Status = C.MARLIN_INVALID_ARGUMENT    // the caller: a pointer, size, stride or enumerator is wrong
	NotSupported      Status = C.MARLIN_NOT_SUPPORTED       // valid, but this device or version has nothing for it
	OutOfMemory       Status = C.MARLIN_OUT_OF_MEMORY       // the machine: an allocation failed
	WorkspaceTooSmall Status = C.MARLIN_WORKSPACE_TOO_SMALL // the caller: Handle.Query tells how much is needed
	BadPackedData     Status = C.MARLIN_BAD_PACKED_DATA     // the data: packed weights are damaged or unknown
	NotSparse         Status = C.MARLIN_NOT_SPARSE          // the data: weights do not follow the 2:4 pattern
	DeviceError       Status = C.MARLIN_DEVICE_ERROR        // the machine: CUDA reported an error, perhaps earlier work's
	InternalError     Status = C.MARLIN_INTERNAL_ERROR      // a bug in libmarlin
)

// Error returns one sentence about the status.
func (s Status) Error() string { return C.GoString(C.marlin_status_string(C.marlin_status(s))) }

// String returns the name of the status in marlin.h, such as "MARLIN_NOT_SUPPORTED".
func (s Status) String() string { return C.GoString(C.marlin_status_name(C.marlin_status(s))) }

// Error is a call that failed. Nothing was written to its outputs, and the handle stays usable (but see DeviceError).
type Error struct {
	Status Status
	Text   string // a sentence with the name, the value and what was expected
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the status.
func (e *Error) Unwrap() error { return e.Status }

// failure turns the result of a call into an error, nil for a success.
func failure(result C.go_marlin_result) error {
	if result.status == C.MARLIN_SUCCESS {
		return nil
	}
	status := Status(result.status)
	if result.text == nil { // no memory for it
		return &Error{status, status.Error()}
	}
	text := C.GoString(result.text)
	C.free(unsafe.Pointer(result.text))
	return &Error{status, text}
}

// invalid is for what only the binding can see, as the library knows no slices and no closed handles.
func invalid(format string, arguments ...any) error {
	return &Error{InvalidArgument, fmt.Sprintf(format, arguments...)}
}
