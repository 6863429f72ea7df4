// Packed weights: what they are, and their way to a file and back.

package marlin

// #include "native.h"
import "C"

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"unsafe"
)

// WeightsInfo is what the header of packed bytes says.
type WeightsInfo struct {
	Layout    Layout
	Type      Type // S4 or U4
	ScaleType Type // F16 or BF16
	ZeroType  Type // TypeNone (S4), U8 (integer zero points), or F16, BF16, F32 (offsets)
	Device    Device
	DeviceID  int
	Sparse    bool // 2:4 sparse: multiply by Handle.SpGemm
	K         int  // input features, as in the source
	N         int  // output features
	GroupSize int  // consecutive packed rows that share a scale, or PerColumn
	KPacked   int  // rows as stored
	Size      int  // packed bytes, header included
}

// Groups returns the groups of a column as stored: rows of the scales that [Handle.Unpack] gives back.
func (i WeightsInfo) Groups() int {
	if i.GroupSize == PerColumn {
		return 1
	}
	return i.KPacked / i.GroupSize
}

// Weights are packed weights, made by [Handle.Pack], [Handle.PackAt], [Handle.Load], [Handle.Attach] or
// [Handle.AttachAt]. They never change, and any number of handles of the same device may use them at once.
type Weights struct {
	info   WeightsInfo
	mutex  sync.RWMutex      // held for reading by every call that uses the weights
	native *C.marlin_weights // in C memory, so that a call has nothing to look through; nil when closed
	memory []byte            // mapped; nil where the caller owns the packed bytes
}

// describe makes weights of what fill writes. They own the memory; after a failure nobody does.
func describe(memory []byte, fill func(*C.marlin_weights) C.go_marlin_result) (*Weights, error) {
	native := (*C.marlin_weights)(C.calloc(1, C.sizeof_marlin_weights))
	if native == nil {
		unmap(memory)
		return nil, &Error{OutOfMemory, "host memory is exhausted"}
	}
	if err := failure(fill(native)); err != nil {
		C.free(unsafe.Pointer(native))
		unmap(memory)
		return nil, err
	}
	w := &Weights{native: native, memory: memory, info: WeightsInfo{
		Layout:    Layout(native.layout),
		Type:      Type(native._type),
		ScaleType: Type(native.scale_type),
		ZeroType:  Type(native.zero_type),
		Device:    Device(native.device),
		DeviceID:  int(native.device_id),
		Sparse:    native.flags&1 != 0,
		K:         int(native.k),
		N:         int(native.n),
		GroupSize: int(native.group_size),
		KPacked:   int(native.k_packed),
		Size:      int(native.data_size),
	}}
	runtime.SetFinalizer(w, (*Weights).Close)
	return w, nil
}

// Close waits for calls that use the weights, then frees the packed bytes where the weights own them. The garbage
// collector, which does not know how large they are, does so only some time after the last use. Closing twice is fine,
// any other use afterwards is InvalidArgument. The error is always nil.
func (w *Weights) Close() error {
	if w == nil {
		return nil
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	C.free(unsafe.Pointer(w.native))
	unmap(w.memory)
	w.native, w.memory = nil, nil
	runtime.SetFinalizer(w, nil)
	return nil
}

// enter keeps the weights for one call, until leave. Nil weights are the library's to refuse.
func (w *Weights) enter() (*C.marlin_weights, error) {
	if w == nil {
		return nil, nil
	}
	w.mutex.RLock()
	if w.native == nil {
		w.mutex.RUnlock()
		return nil, invalid("weights are closed, expected open ones")
	}
	return w.native, nil
}

func (w *Weights) leave() {
	if w != nil {
		w.mutex.RUnlock()
	}
}

// Info returns what the weights are, of closed ones too.
func (w *Weights) Info() WeightsInfo { return w.info }

// WriteTo writes the packed bytes, which [Handle.Attach] takes back. Those on a GPU are NotSupported: copy them first.
func (w *Weights) WriteTo(to io.Writer) (int64, error) {
	native, err := w.enter()
	if err != nil {
		return 0, err
	}
	defer w.leave()
	if native == nil {
		return 0, invalid("weights are nil, expected packed ones")
	}
	if w.info.Device != CPU {
		return 0, &Error{NotSupported, "the weights lie on a CUDA device, expected host memory"}
	}
	written, err := to.Write(unsafe.Slice((*byte)(native.data), w.info.Size))
	return int64(written), err
}

// Save writes the packed bytes to a file, which appears whole or not at all.
func (w *Weights) Save(path string) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = w.WriteTo(file)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// Load maps a file that [Weights.Save] wrote, checks its checksums, and uses it where it is: the file must not change
// while the weights are open. A CUDA handle cannot: copy the bytes to its GPU and use [Handle.AttachAt].
//
// Errors are those of [Handle.Attach], and those of opening and mapping the file.
func (h *Handle) Load(path string) (*Weights, error) {
	memory, err := mapFile(path)
	if err != nil {
		return nil, err
	}
	return h.attach(Host(memory), memory)
}

// Attach copies packed bytes that [Weights.WriteTo] wrote, and checks their checksums.
//
// Errors: InvalidArgument, BadPackedData (damaged, cut off, or of an unknown layout), OutOfMemory.
func (h *Handle) Attach(packed []byte) (*Weights, error) {
	memory, err := allocate(len(packed))
	if err != nil {
		return nil, err
	}
	described := Host(memory)
	described.size = copy(memory, packed)
	return h.attach(described, memory)
}

// AttachAt uses packed bytes where they lie: size bytes at an address in the handle's memory, 256-byte aligned, that
// must outlive the weights. It cannot be memory of Go.
//
// Errors: InvalidArgument, BadPackedData, OutOfMemory, DeviceError.
func (h *Handle) AttachAt(address uintptr, size int) (*Weights, error) {
	return h.attach(At(address, size, TypeNone), nil)
}

func (h *Handle) attach(packed Memory, memory []byte) (*Weights, error) {
	native, err := h.enter()
	if err != nil {
		unmap(memory)
		return nil, err
	}
	defer h.leave()
	return describe(memory, func(weights *C.marlin_weights) C.go_marlin_result {
		return C.go_marlin_attach(native, packed.native(), weights)
	})
}
