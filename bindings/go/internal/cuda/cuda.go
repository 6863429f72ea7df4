// Package cuda is device memory and streams for the tests of package marlin. It needs nothing of CUDA to be built.
package cuda

// #cgo LDFLAGS: -ldl
// #include "driver.h"
import "C"

import (
	"fmt"
	"sync"
	"unsafe"
)

var (
	once   sync.Once
	opened error
)

// Open finds the driver and device 0, once.
func Open() error {
	once.Do(func() { opened = check("opening the driver", C.go_cuda_open()) })
	return opened
}

// Alloc returns the address of size bytes of device memory.
func Alloc(size int) (uintptr, error) {
	var address C.uint64_t
	err := check("cuMemAlloc", C.go_cuda_alloc(C.size_t(size), &address))
	return uintptr(address), err
}

// Free gives them back.
func Free(address uintptr) error {
	return check("cuMemFree", C.go_cuda_free(C.uint64_t(address)))
}

// Copy copies a slice to the device and waits for it.
func Copy[T any](to uintptr, from []T) error {
	return check("cuMemcpyHtoD", C.go_cuda_to_device(C.uint64_t(to), bytes(from), size(from)))
}

// CopyBack copies from the device into a slice and waits for it.
func CopyBack[T any](to []T, from uintptr) error {
	return check("cuMemcpyDtoH", C.go_cuda_from_device(bytes(to), C.uint64_t(from), size(to)))
}

// NewStream returns a stream of its own.
func NewStream() (uintptr, error) {
	var stream C.uintptr_t
	err := check("cuStreamCreate", C.go_cuda_stream(&stream))
	return uintptr(stream), err
}

// Synchronize waits for a stream.
func Synchronize(stream uintptr) error {
	return check("cuStreamSynchronize", C.go_cuda_synchronize(C.uintptr_t(stream)))
}

// DestroyStream gives a stream back.
func DestroyStream(stream uintptr) error {
	return check("cuStreamDestroy", C.go_cuda_stream_destroy(C.uintptr_t(stream)))
}

func bytes[T any](slice []T) *C.uchar { return (*C.uchar)(unsafe.Pointer(&slice[0])) }

func size[T any](slice []T) C.size_t { return C.size_t(len(slice)) * C.size_t(unsafe.Sizeof(slice[0])) }

func check(what string, status C.int) error {
	if status != 0 {
		return fmt.Errorf("%s: CUDA driver status %d", what, int(status))
	}
	return nil
}
