// The way back from packed weights.

package marlin

// #include "native.h"
import "C"

import "runtime"

// UnpackDesc says what [Handle.Unpack] writes, and where: slices for a CPU handle, addresses for a CUDA handle. What is
// absent is not wanted.
type UnpackDesc struct {
	DstType  Type  // F16, BF16, F32: weights, rounded once; S4, U4 (the stored type): codes; 0: as Dst
	DstOrder Order // in source row order, act-order undone
	LdDst    int   // in elements; 0: tight
	Dst      Memory
	Scales   Memory // WeightsInfo.Groups() x N of the stored scale type
	Zeros    Memory // the same of the stored zero type
}

// Unpack is the way back from packed weights. Pruned weights are 0.
//
// Errors: InvalidArgument, NotSupported (codes of 2:4 weights where no code means 0), OutOfMemory, DeviceError.
func (h *Handle) Unpack(weights *Weights, desc UnpackDesc) error {
	native, err := h.enter()
	if err != nil {
		return err
	}
	defer h.leave()
	packed, err := weights.enter()
	if err != nil {
		return err
	}
	defer weights.leave()
	defer runtime.KeepAlive(desc)
	return failure(C.go_marlin_unpack(native, packed, C.int32_t(desc.Dst.codesOf(desc.DstType)), C.int32_t(desc.DstOrder),
		C.int64_t(desc.LdDst), desc.Dst.native(), desc.Scales.native(), desc.Zeros.native()))
}
