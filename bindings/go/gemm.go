// Multiplies and their query.

package marlin

// #include "native.h"
import "C"

import "runtime"

// GemmDesc describes a multiply.
type GemmDesc struct {
	AType    Type // F16, BF16 or F32 (CPU only); 0: as A, and F16 for a query
	CType    Type // 0: as C, and as A for a query
	BiasType Type // 0: as Bias
	M        int  // rows of A and C; 0 is a success that does nothing
	LdA      int  // elements between rows of A; 0: K
	LdC      int  // elements between rows of C; 0: N
	Bias     Memory
}

// GemmInfo is the kernel that a multiply gets.
type GemmInfo struct {
	Kernel              string // stable name, as in logs and benchmark results
	KernelNumber        int    // for OptionKernel
	TileM, TileN, TileK int
	Stages              int
	Blocks              int
	WorkspaceSize       int
	Slow                bool   // a fallback
	Why                 string // one sentence when slow
}

// Gemm computes C[m, n] = A[m, k] * dequantize(B)[k, n] + bias for dense B. On a CUDA handle it enqueues and returns.
// C must not overlap A, B or the bias.
//
// Errors: InvalidArgument, NotSupported, WorkspaceTooSmall, BadPackedData, DeviceError.
func (h *Handle) Gemm(desc GemmDesc, a Memory, b *Weights, c Memory) error {
	return h.multiply(0, &desc, a, b, c)
}

// SpGemm does the same for 2:4 sparse B: pruned positions are skipped, not multiplied by zero.
func (h *Handle) SpGemm(desc GemmDesc, a Memory, b *Weights, c Memory) error {
	return h.multiply(1, &desc, a, b, c)
}

// multiply is one call into the library, text of a failure included.
func (h *Handle) multiply(sparse C.int32_t, desc *GemmDesc, a Memory, b *Weights, c Memory) error {
	call, err := desc.call(sparse, a, c)
	if err != nil {
		return err
	}
	if err := desc.fit(&call, a, b, c); err != nil {
		return err
	}
	native, err := h.enter()
	if err != nil {
		return err
	}
	defer h.leave()
	packed, err := b.enter()
	if err != nil {
		return err
	}
	defer b.leave()
	result := C.go_marlin_gemm(native, call, desc.Bias.native(), a.native(), packed, c.native())
	runtime.KeepAlive(desc.Bias.slice)
	runtime.KeepAlive(a.slice)
	runtime.KeepAlive(c.slice)
	return failure(result)
}

// Query says whether a multiply would run, with which kernel and how much workspace, and launches nothing. Errors are
// those of the multiply.
func (h *Handle) Query(desc GemmDesc, b *Weights) (GemmInfo, error) {
	call, err := desc.call(0, Memory{}, Memory{})
	if err != nil {
		return GemmInfo{}, err
	}
	native, err := h.enter()
	if err != nil {
		return GemmInfo{}, err
	}
	defer h.leave()
	packed, err := b.enter()
	if err != nil {
		return GemmInfo{}, err
	}
	defer b.leave()
	var info C.marlin_gemm_info
	if err := failure(C.go_marlin_gemm_query(native, call, desc.Bias.native(), packed, &info)); err != nil {
		return GemmInfo{}, err
	}
	runtime.KeepAlive(desc.Bias.slice)
	return GemmInfo{
		Kernel:        C.GoString(&info.kernel[0]),
		KernelNumber:  int(info.kernel_number),
		TileM:         int(info.tile_m),
		TileN:         int(info.tile_n),
		TileK:         int(info.tile_k),
		Stages:        int(info.stages),
		Blocks:        int(info.blocks),
		WorkspaceSize: int(info.workspace_size),
		Slow:          info.slow != 0,
		Why:           C.GoString(&info.why[0]),
	}, nil
}

// call is the description without its pointers, with the types that the memory says.
func (d *GemmDesc) call(sparse C.int32_t, a, c Memory) (C.go_marlin_gemm_call, error) {
	aType, err := a.floatOf("a", d.AType)
	if err != nil {
		return C.go_marlin_gemm_call{}, err
	}
	cType, err := c.floatOf("c", d.CType)
	if err != nil {
		return C.go_marlin_gemm_call{}, err
	}
	biasType, err := d.Bias.floatOf("bias", d.BiasType)
	return C.go_marlin_gemm_call{
		sparse:    sparse,
		a_type:    C.int32_t(aType),
		c_type:    C.int32_t(cType),
		bias_type: C.int32_t(biasType),
		m:         C.int64_t(d.M),
		lda:       C.int64_t(d.LdA),
		ldc:       C.int64_t(d.LdC),
	}, err
}

// fit fails where A, C or the bias are too short for the multiply.
func (d *GemmDesc) fit(call *C.go_marlin_gemm_call, a Memory, b *Weights, c Memory) error {
	if b == nil || d.M == 0 {
		return nil
	}
	info := &b.info
	aType, cType, biasType := Type(call.a_type), Type(call.c_type), Type(call.bias_type)
	if aType == TypeNone {
		aType = F16
	}
	if cType == TypeNone {
		cType = aType
	}
	if biasType == TypeNone {
		biasType = cType
	}
	if err := (matrix{"a", d.M, info.K, "k", d.LdA, aType}).fits(a); err != nil {
		return err
	}
	if err := (matrix{"c", d.M, info.N, "n", d.LdC, cType}).fits(c); err != nil {
		return err
	}
	return (matrix{"bias", 1, info.N, "n", 0, biasType}).fits(d.Bias)
}
