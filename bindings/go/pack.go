// Packing: descriptions and inputs become packed weights.

package marlin

// #include "native.h"
import "C"

import "runtime"

// PackDesc describes weights of K input and N output features, and how to store them. Zero is the default of each field
// but K, N and GroupSize.
type PackDesc struct {
	Source       Source
	SrcType      Type  // plain: F16, BF16 or F32 are rounded to codes, S4 and U4 are codes; 0: as PackInput.Src
	SrcOrder     Order // plain
	SrcScaleType Type  // 0: as PackInput.Scales
	SrcZeroType  Type  // plain: U8 (0..16), or F16, BF16, F32 offsets; 0: as PackInput.Zeros
	Type         Type  // stored: S4 or U4; 0: what the source holds (values: S4)
	ZeroType     Type  // stored: TypeNone with S4, U8 or an offset type with U4; 0: as the source (values: U8)
	ScaleType    Type  // stored: F16 or BF16; 0: F16
	Layout       Layout
	ScaleMethod  ScaleMethod // when values are rounded
	Sparsity     Sparsity
	ActOrder     bool // PackInput.GIdx will be given
	ColumnScales bool // PackInput.ColumnScales will be given
	K            int
	N            int
	LdSrc        int // plain, in elements; 0: tight
	GroupSize    int // 32, 64, 128 or PerColumn
}

// PackInput is what [Handle.Pack] reads: all of it slices ([Host]), for any handle, or all of it in the handle's memory
// ([At]). marlin.h has the shapes of each source.
type PackInput struct {
	Src          Memory
	Scales       Memory // absent: computed from values
	Zeros        Memory // integer zero points, offsets, or words
	GIdx         Memory // K of int32, the group of each source row
	Importance   Memory // K of float32, at least 0
	ColumnScales Memory // N of float32
}

// PackSize returns the bytes that [Handle.PackAt] needs: an upper bound with ActOrder, and for GPTQ and
// compressed-tensors words with Type 0.
//
// Errors: InvalidArgument, NotSupported.
func (h *Handle) PackSize(desc PackDesc) (int, error) {
	native, err := h.enter()
	if err != nil {
		return 0, err
	}
	defer h.leave()
	described := desc.native()
	var size C.size_t
	err = failure(C.go_marlin_pack_size(native, &described, &size))
	return int(size), err
}

// Pack rounds and rearranges weights, once, for any number of multiplies. A CPU handle's.
//
// Errors: InvalidArgument (also values that are not finite, codes and zero points out of range: named with their
// position), NotSupported, NotSparse, OutOfMemory.
func (h *Handle) Pack(desc PackDesc, input PackInput) (*Weights, error) {
	desc, err := desc.complete(input)
	if err != nil {
		return nil, err
	}
	size, err := h.PackSize(desc)
	if err != nil {
		return nil, err
	}
	memory, err := allocate(size)
	if err != nil {
		return nil, err
	}
	return h.pack(desc, input, Host(memory), memory)
}

// PackAt does the same into size bytes at an address in the handle's memory, 256-byte aligned, that must outlive the
// weights: the GPU's for a CUDA handle. It cannot be memory of Go.
//
// Errors: those of Pack, and DeviceError.
func (h *Handle) PackAt(desc PackDesc, input PackInput, address uintptr, size int) (*Weights, error) {
	desc, err := desc.complete(input)
	if err != nil {
		return nil, err
	}
	return h.pack(desc, input, At(address, size, TypeNone), nil)
}

func (h *Handle) pack(desc PackDesc, input PackInput, packed Memory, memory []byte) (*Weights, error) {
	native, err := h.enter()
	if err != nil {
		unmap(memory)
		return nil, err
	}
	defer h.leave()
	defer runtime.KeepAlive(input)
	described := desc.native()
	return describe(memory, func(weights *C.marlin_weights) C.go_marlin_result {
		return C.go_marlin_pack(native, &described, input.native(), packed.native(), weights)
	})
}

// complete fills in what the input says: its types, and that something is given.
func (d PackDesc) complete(input PackInput) (PackDesc, error) {
	if err := input.check(); err != nil {
		return d, err
	}
	if d.Source == SourcePlain {
		d.SrcType = input.Src.codesOf(d.SrcType)
		if d.SrcZeroType == TypeNone {
			d.SrcZeroType = input.Zeros.kind
		}
	}
	if d.SrcScaleType == TypeNone {
		d.SrcScaleType = input.Scales.kind
	}
	d.ActOrder = d.ActOrder || input.GIdx.given()
	d.ColumnScales = d.ColumnScales || input.ColumnScales.given()
	return d, nil
}

func (d PackDesc) native() C.marlin_pack_desc {
	var flags C.uint32_t
	if d.ActOrder {
		flags |= C.MARLIN_PACK_ACT_ORDER
	}
	if d.ColumnScales {
		flags |= C.MARLIN_PACK_COLUMN_SCALES
	}
	return C.marlin_pack_desc{
		struct_size:    C.sizeof_marlin_pack_desc,
		source:         C.int32_t(d.Source),
		src_type:       C.int32_t(d.SrcType),
		src_order:      C.int32_t(d.SrcOrder),
		src_scale_type: C.int32_t(d.SrcScaleType),
		src_zero_type:  C.int32_t(d.SrcZeroType),
		_type:          C.int32_t(d.Type),
		zero_type:      C.int32_t(d.ZeroType),
		scale_type:     C.int32_t(d.ScaleType),
		layout:         C.int32_t(d.Layout),
		scale_method:   C.int32_t(d.ScaleMethod),
		sparsity:       C.int32_t(d.Sparsity),
		flags:          flags,
		k:              C.int64_t(d.K),
		n:              C.int64_t(d.N),
		ld_src:         C.int64_t(d.LdSrc),
		group_size:     C.int64_t(d.GroupSize),
	}
}

// check refuses what would be read as something else: the library sees bytes, and one kind of memory for all.
func (i PackInput) check() error {
	if err := i.GIdx.holds("g_idx", TypeNone, "int32"); err != nil {
		return err
	}
	if err := i.Importance.holds("importance", F32, "float32"); err != nil {
		return err
	}
	if err := i.ColumnScales.holds("column_scales", F32, "float32"); err != nil {
		return err
	}
	for _, memory := range []Memory{i.Scales, i.Zeros, i.GIdx, i.Importance, i.ColumnScales} {
		if i.Src.given() && memory.given() && (memory.slice != nil) != (i.Src.slice != nil) {
			return invalid("the input is partly slices and partly addresses, expected one or the other")
		}
	}
	return nil
}

func (i PackInput) native() C.go_marlin_input {
	native := C.go_marlin_input{
		src:           i.Src.native(),
		scales:        i.Scales.native(),
		zeros:         i.Zeros.native(),
		g_idx:         i.GIdx.native(),
		importance:    i.Importance.native(),
		column_scales: i.ColumnScales.native(),
	}
	if i.Src.slice != nil {
		native.host = 1
	}
	return native
}
