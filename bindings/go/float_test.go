// Tests of half-precision numbers.

package marlin_test

import (
	"math"
	"math/rand"
	"testing"

	"libmarlin/marlin"
)

func TestEveryHalfComesBack(t *testing.T) {
	for bits := 0; bits < 1<<16; bits++ {
		f16, bf16 := marlin.Float16(bits), marlin.BFloat16(bits)
		if x := f16.Float32(); x == x {
			if got := marlin.ToFloat16(x); got != f16 {
				t.Fatalf("f16 %#04x is %v, which became %#04x", bits, x, got)
			}
		} else if got := marlin.ToFloat16(x).Float32(); got == got {
			t.Fatalf("f16 %#04x is NaN and became %v", bits, got)
		}
		if x := bf16.Float32(); x == x {
			if got := marlin.ToBFloat16(x); got != bf16 {
				t.Fatalf("bf16 %#04x is %v, which became %#04x", bits, x, got)
			}
		} else if got := marlin.ToBFloat16(x).Float32(); got == got {
			t.Fatalf("bf16 %#04x is NaN and became %v", bits, got)
		}
	}
}

func TestKnownHalves(t *testing.T) {
	for _, known := range []struct {
		x    float32
		f16  marlin.Float16
		bf16 marlin.BFloat16
	}{
		{0, 0, 0},
		{float32(math.Copysign(0, -1)), 0x8000, 0x8000},
		{1, 0x3c00, 0x3f80},
		{-2, 0xc000, 0xc000},
		{65504, 0x7bff, 0x4780},
		{65519.996, 0x7bff, 0x4780},
		{65520, 0x7c00, 0x4780},
		{1 + 0x1p-11, 0x3c00, 0x3f80}, // a tie, to even
		{1 + 0x3p-11, 0x3c02, 0x3f80}, // a tie, to even
		{0x1p-24, 0x0001, 0x3380},     // the smallest subnormal
		{0x1p-25, 0x0000, 0x3300},     // a tie, to even
		{0x1.8p-24, 0x0002, 0x33c0},   // a tie, to even
		{0x1.ffcp-15, 0x0400, 0x3880}, // up to the smallest normal
		{math.MaxFloat32, 0x7c00, 0x7f80},
		{float32(math.Inf(-1)), 0xfc00, 0xff80},
	} {
		if got := marlin.ToFloat16(known.x); got != known.f16 {
			t.Errorf("%v became f16 %#04x, expected %#04x", known.x, got, known.f16)
		}
		if got := marlin.ToBFloat16(known.x); got != known.bf16 {
			t.Errorf("%v became bf16 %#04x, expected %#04x", known.x, got, known.bf16)
		}
	}
}

// A rounded number has no neighbour that is closer.
func TestRoundingIsToNearest(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for i := 0; i < 200000; i++ {
		x := math.Float32frombits(random.Uint32())
		if x != x || math.Abs(float64(x)) > 65504 {
			continue
		}
		half := marlin.ToFloat16(x)
		error := math.Abs(float64(half.Float32()) - float64(x))
		for _, neighbour := range []marlin.Float16{half - 1, half + 1} {
			if math.Abs(float64(neighbour.Float32())-float64(x)) < error {
				t.Fatalf("%v became %#04x, but %#04x is closer", x, half, neighbour)
			}
		}
	}
}

func TestSlicesOfEachType(t *testing.T) {
	x := []float32{1, -0.5, 3}
	if got := marlin.Widen(marlin.Narrow[marlin.Float16](x)); differs(got, x) >= 0 {
		t.Errorf("f16: got %v, expected %v", got, x)
	}
	if got := marlin.Widen(marlin.Narrow[marlin.BFloat16](x)); differs(got, x) >= 0 {
		t.Errorf("bf16: got %v, expected %v", got, x)
	}
	same := marlin.Narrow[float32](x)
	if got := marlin.Widen(same); differs(got, x) >= 0 || &same[0] == &x[0] {
		t.Errorf("f32: got %v, expected a copy of %v", got, x)
	}
}
