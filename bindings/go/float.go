// Half-precision numbers: rounding to them and back.

package marlin

import "math"

// Float16 holds the bits of an IEEE 754 binary16 number.
type Float16 uint16

// BFloat16 holds the bits of a bfloat16 number: the upper half of a float32.
type BFloat16 uint16

// ToFloat16 rounds to nearest, ties to even; what is too large becomes an infinity.
func ToFloat16(x float32) Float16 {
	const (
		infinity    = 0x7c00
		quiet       = 0x0200
		overflow    = 0x477ff000 // 65520, half a step above the largest binary16
		normal      = 0x38800000 // 2^-14, the smallest normal binary16
		infinity32  = 0x7f800000
		exponentGap = (127 - 15) << 23
	)
	bits := math.Float32bits(x)
	sign := Float16(bits >> 16 & 0x8000)
	bits &= 0x7fffffff
	switch {
	case bits > infinity32:
		return sign | infinity | quiet | Float16(bits>>13&0x3ff)
	case bits >= overflow:
		return sign | infinity
	case bits < normal:
		// Steps of 0.5 as a float32 are those of the subnormals, 2^-24: the addition rounds.
		return sign | Float16(math.Float32bits(math.Float32frombits(bits)+0.5)-math.Float32bits(0.5))
	}
	bits += 0xfff + bits>>13&1
	return sign | Float16((bits-exponentGap)>>13)
}

// Float32 returns the number, exactly.
func (x Float16) Float32() float32 {
	sign := uint32(x&0x8000) << 16
	exponent, mantissa := uint32(x>>10&0x1f), uint32(x&0x3ff)
	switch exponent {
	case 0:
		return math.Float32frombits(sign | math.Float32bits(float32(mantissa)*0x1p-24))
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | mantissa<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | mantissa<<13)
}

// ToBFloat16 rounds to nearest, ties to even.
func ToBFloat16(x float32) BFloat16 {
	bits := math.Float32bits(x)
	if bits&0x7fffffff > 0x7f800000 {
		return BFloat16(bits>>16 | 0x40)
	}
	return BFloat16((bits + 0x7fff + bits>>16&1) >> 16)
}

// Float32 returns the number, exactly.
func (x BFloat16) Float32() float32 { return math.Float32frombits(uint32(x) << 16) }

// Narrow rounds a slice to Float16 or BFloat16 (or copies it): marlin.Narrow[marlin.Float16](x).
func Narrow[T Float](x []float32) []T {
	out := make([]T, len(x))
	switch out := any(out).(type) {
	case []Float16:
		for i, value := range x {
			out[i] = ToFloat16(value)
		}
	case []BFloat16:
		for i, value := range x {
			out[i] = ToBFloat16(value)
		}
	case []float32:
		copy(out, x)
	}
	return out
}

// Widen turns a slice into float32, exactly.
func Widen[T Float](x []T) []float32 {
	out := make([]float32, len(x))
	switch x := any(x).(type) {
	case []Float16:
		for i, value := range x {
			out[i] = value.Float32()
		}
	case []BFloat16:
		for i, value := range x {
			out[i] = value.Float32()
		}
	case []float32:
		copy(out, x)
	}
	return out
}
