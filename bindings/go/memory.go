// Slices and addresses as the library's operands.

package marlin

// #include "native.h"
import "C"

import (
	"math"
	"math/bits"
	"unsafe"
)

// Float is what activations, results and biases are made of.
type Float interface {
	Float16 | BFloat16 | float32
}

// Element is what a slice may hold that [Host] describes: floats, codes (int8: -8..7, uint8: 0..15), zero points
// (uint8), words and indices.
type Element interface {
	Float | int8 | uint8 | int32 | uint32
}

// Memory is a matrix or vector that a call reads or writes. The zero Memory means that nothing is given.
//
// It holds on to the slice that it was made from, and copies nothing.
type Memory struct {
	slice   unsafe.Pointer
	address uintptr
	size    int // bytes
	kind    Type
}

// Host describes a slice; its elements say the type: Float16 is F16, BFloat16 BF16, float32 F32, int8 S4, uint8 U8 (or
// U4 where codes are meant), int32 and uint32 words.
func Host[T Element](slice []T) Memory {
	var kind Type
	var zero T
	switch any(zero).(type) {
	case Float16:
		kind = F16
	case BFloat16:
		kind = BF16
	case float32:
		kind = F32
	case int8:
		kind = S4
	case uint8:
		kind = U8
	}
	return HostAs(slice, kind)
}

// HostAs describes a slice that holds the bits of another type: uint16 for F16 and BF16, or the bytes of a file.
func HostAs[T Element | uint16](slice []T, kind Type) Memory {
	if len(slice) == 0 {
		return Memory{kind: kind}
	}
	return Memory{slice: unsafe.Pointer(&slice[0]), size: len(slice) * int(unsafe.Sizeof(slice[0])), kind: kind}
}

// At describes size bytes at an address in the handle's memory, which no Go value owns: GPU memory for a CUDA handle,
// or what a C library allocated for a CPU handle. It must stay until the library is done with it.
func At(address uintptr, size int, kind Type) Memory {
	if address == 0 {
		return Memory{kind: kind}
	}
	return Memory{address: address, size: size, kind: kind}
}

func (m Memory) given() bool { return m.slice != nil || m.address != 0 }

// native is the memory as the C side takes it; the caller keeps m alive until the call is over.
func (m Memory) native() C.go_marlin_memory {
	return C.go_marlin_memory{slice: (*C.uchar)(m.slice), address: C.uintptr_t(m.address), size: C.size_t(m.size)}
}

// floatOf returns the type that a multiply should use: the one asked for, or that of the memory.
func (m Memory) floatOf(name string, asked Type) (Type, error) {
	if asked == TypeNone && m.given() && m.kind == TypeNone {
		return TypeNone, invalid("%s holds words, expected f16, bf16 or f32", name)
	}
	if asked == TypeNone {
		return m.kind, nil
	}
	return asked, nil
}

// codesOf returns the type that packing should read or write: the one asked for, or that of the memory, where bytes are
// codes.
func (m Memory) codesOf(asked Type) Type {
	switch {
	case asked != TypeNone:
		return asked
	case m.kind == U8:
		return U4
	}
	return m.kind
}

// holds fails unless the memory is absent or of a type.
func (m Memory) holds(name string, kind Type, kindName string) error {
	if !m.given() || m.kind == kind {
		return nil
	}
	if m.kind == TypeNone {
		return invalid("%s holds words, expected %s", name, kindName)
	}
	return invalid("%s holds %v, expected %s", name, m.kind, kindName)
}

// matrix is the part of a memory that a multiply touches: rows of `row` elements, stride apart.
type matrix struct {
	name    string
	rows    int
	row     int
	rowName string
	stride  int // 0: row
	kind    Type
}

// fits fails where the library, which sees no lengths, would leave the memory. What the library refuses itself, by
// words of its own, it is left to refuse.
func (x matrix) fits(m Memory) error {
	width := widthOf(x.kind)
	stride := x.stride
	if stride == 0 {
		stride = x.row
	}
	if !m.given() || x.rows <= 0 || stride < x.row || width == 0 {
		return nil
	}
	high, gaps := bits.Mul64(uint64(x.rows-1), uint64(stride))
	elements, carry := bits.Add64(gaps, uint64(x.row), 0)
	higher, needed := bits.Mul64(elements, width)
	if high != 0 || carry != 0 || higher != 0 || needed > math.MaxInt64 {
		return nil
	}
	if m.size < 0 || uint64(m.size) < needed {
		return invalid("%s has %d bytes, expected at least %d: %d rows of %s = %d %v, %d apart", x.name, m.size, needed,
			x.rows, x.rowName, x.row, x.kind, stride)
	}
	return nil
}

// widthOf returns the bytes of a float, 0 for what a multiply does not take.
func widthOf(kind Type) uint64 {
	switch kind {
	case F16, BF16:
		return 2
	case F32:
		return 4
	}
	return 0
}
