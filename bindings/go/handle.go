// Handles: made, asked, set, closed.

package marlin

// #cgo pkg-config: marlin
// #include "native.h"
import "C"

import (
	"runtime"
	"sync"
)

// HandleDesc says what a handle is to be. Its zero value is the default of every field.
type HandleDesc struct {
	Device        Device
	DeviceID      int     // CUDA ordinal; 0 on the CPU
	NumThreads    int     // CPU: threads that a call may use, its caller among them; 0: one for each core
	Stream        uintptr // CUDA: a cudaStream_t or CUstream; 0: the legacy default stream
	Workspace     uintptr // scratch memory of the handle's device, 256-byte aligned; 0: the library's own
	WorkspaceSize int     // bytes
}

// HandleInfo is what a handle really is.
type HandleInfo struct {
	Device            Device // the one chosen
	DeviceID          int
	ComputeCapability int // 90 for sm_90; 0 on the CPU
	SMCount           int // 0 on the CPU
	NumThreads        int // 0 on CUDA
	WorkspaceSize     int
	Name              string // of the GPU, or the CPU instruction set in use
}

// Handle is a device with its threads, stream, workspace and options. [NewHandle] makes one.
//
// Calls of one handle wait for each other; handles of their own run at the same time.
type Handle struct {
	mutex  sync.Mutex
	native C.go_marlin_handle // 0 when closed
}

// NewHandle creates a handle. Close it; the garbage collector does so only some time after the last use.
func NewHandle(desc HandleDesc) (*Handle, error) {
	var native C.go_marlin_handle
	err := failure(C.go_marlin_handle_create(C.int32_t(desc.Device), C.int32_t(desc.DeviceID), C.int32_t(desc.NumThreads),
		C.uintptr_t(desc.Stream), C.uintptr_t(desc.Workspace), C.size_t(desc.WorkspaceSize), &native))
	if err != nil {
		return nil, err
	}
	h := &Handle{native: native}
	runtime.SetFinalizer(h, (*Handle).Close)
	return h, nil
}

// Close waits for the handle's work and frees it. Closing twice is fine, any other use afterwards is InvalidArgument.
// The error is always nil.
func (h *Handle) Close() error {
	if h == nil {
		return nil
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	C.go_marlin_handle_destroy(h.native)
	h.native = 0
	runtime.SetFinalizer(h, nil)
	return nil
}

// enter takes the handle for one call, and leave gives it back; between them it cannot be closed, by the finalizer
// either. A nil handle is the library's to refuse.
func (h *Handle) enter() (C.go_marlin_handle, error) {
	if h == nil {
		return 0, nil
	}
	h.mutex.Lock()
	if h.native == 0 {
		h.mutex.Unlock()
		return 0, invalid("handle is closed, expected an open one")
	}
	return h.native, nil
}

func (h *Handle) leave() {
	if h != nil {
		h.mutex.Unlock()
	}
}

// Info returns the device that was chosen, and how it is used.
func (h *Handle) Info() (HandleInfo, error) {
	native, err := h.enter()
	if err != nil {
		return HandleInfo{}, err
	}
	defer h.leave()
	info := C.marlin_handle_info{struct_size: C.sizeof_marlin_handle_info}
	if err := failure(C.go_marlin_handle_get_info(native, &info)); err != nil {
		return HandleInfo{}, err
	}
	return HandleInfo{
		Device:            Device(info.device),
		DeviceID:          int(info.device_id),
		ComputeCapability: int(info.compute_capability),
		SMCount:           int(info.sm_count),
		NumThreads:        int(info.num_threads),
		WorkspaceSize:     int(info.workspace_size),
		Name:              C.GoString(&info.name[0]),
	}, nil
}

// SetStream makes a CUDA handle enqueue its work on another stream; work already enqueued comes first.
func (h *Handle) SetStream(stream uintptr) error {
	native, err := h.enter()
	if err != nil {
		return err
	}
	defer h.leave()
	return failure(C.go_marlin_handle_set_stream(native, C.uintptr_t(stream)))
}

// Stream returns the stream that a CUDA handle works on.
func (h *Handle) Stream() (uintptr, error) {
	native, err := h.enter()
	if err != nil {
		return 0, err
	}
	defer h.leave()
	var stream C.uintptr_t
	err = failure(C.go_marlin_handle_get_stream(native, &stream))
	return uintptr(stream), err
}

// SetWorkspace replaces the scratch memory: size bytes at an address in the handle's memory, 256-byte aligned, which
// must stay until the handle is closed or given another. It cannot be memory of Go. 0 and 0: the library's own.
func (h *Handle) SetWorkspace(workspace uintptr, size int) error {
	native, err := h.enter()
	if err != nil {
		return err
	}
	defer h.leave()
	return failure(C.go_marlin_handle_set_workspace(native, C.uintptr_t(workspace), C.size_t(size)))
}

// SetOption sets an option for later calls.
func (h *Handle) SetOption(option Option, value int64) error {
	native, err := h.enter()
	if err != nil {
		return err
	}
	defer h.leave()
	return failure(C.go_marlin_handle_set_option(native, C.int32_t(option), C.int64_t(value)))
}

// Option returns the value of an option.
func (h *Handle) Option(option Option) (int64, error) {
	native, err := h.enter()
	if err != nil {
		return 0, err
	}
	defer h.leave()
	var value C.int64_t
	err = failure(C.go_marlin_handle_get_option(native, C.int32_t(option), &value))
	return int64(value), err
}
