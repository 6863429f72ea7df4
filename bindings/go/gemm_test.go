// Tests of multiplies: types, strides, slices that are too short, allocations.

package marlin_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"libmarlin/marlin"
)

// multiply runs a problem with activations of type A, a bias and results of type C, rows apart by more than they need.
func multiply[A, C marlin.Float](t *testing.T, h *marlin.Handle, sparse bool) {
	t.Helper()
	p := newProblem(3, 96, 24, 1, sparse)
	desc := p.desc()
	if sparse {
		desc.Sparsity = marlin.Already24
	}
	w := pack(t, h, desc, p.input())
	const lda, ldc = 100, 31
	a, c := make([]float32, 2*lda+p.k), make([]float32, 2*ldc+p.n)
	bias := make([]float32, p.n)
	want := make([]float32, len(c))
	for i := range a {
		a[i] = float32(math.NaN()) // between rows: never read
	}
	for i := range c {
		c[i], want[i] = 123, 123 // between rows: never written
	}
	for row := 0; row < p.m; row++ {
		copy(a[row*lda:], p.a[row*p.k:(row+1)*p.k])
		for column := range bias {
			bias[column] = float32(column - 4)
			want[row*ldc+column] = p.want[row*p.n+column] + bias[column]
		}
	}
	out := marlin.Narrow[C](c)
	call := h.Gemm
	if sparse {
		call = h.SpGemm
	}
	err := call(marlin.GemmDesc{M: p.m, LdA: lda, LdC: ldc, Bias: marlin.Host(marlin.Narrow[C](bias))},
		marlin.Host(marlin.Narrow[A](a)), w, marlin.Host(out))
	if err != nil {
		t.Fatal(err)
	}
	want = marlin.Widen(marlin.Narrow[C](want)) // rounded once
	if got := marlin.Widen(out); differs(got, want) >= 0 {
		i := differs(got, want)
		t.Errorf("c[%d] is %v, expected %v", i, got[i], want[i])
	}
}

func TestMultiplyEveryType(t *testing.T) {
	h := cpuHandle(t, 2)
	for _, sparse := range []bool{false, true} {
		t.Run(fmt.Sprintf("sparse=%v", sparse), func(t *testing.T) {
			multiply[marlin.Float16, marlin.Float16](t, h, sparse)
			multiply[marlin.Float16, float32](t, h, sparse)
			multiply[marlin.BFloat16, marlin.BFloat16](t, h, sparse)
			multiply[marlin.BFloat16, float32](t, h, sparse)
			multiply[float32, float32](t, h, sparse)
			multiply[float32, marlin.Float16](t, h, sparse)
		})
	}
}

func TestBitsOfOtherSlices(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(2, 64, 8, 2, false)
	w := pack(t, h, p.desc(), p.input())
	a, c := make([]uint16, len(p.a)), make([]byte, 4*len(p.want))
	for i, x := range p.a {
		a[i] = uint16(marlin.ToBFloat16(x))
	}
	if err := h.Gemm(marlin.GemmDesc{M: p.m}, marlin.HostAs(a, marlin.BF16), w, marlin.HostAs(c, marlin.F32)); err != nil {
		t.Fatal(err)
	}
	for i, want := range p.want {
		bits := uint32(c[4*i]) | uint32(c[4*i+1])<<8 | uint32(c[4*i+2])<<16 | uint32(c[4*i+3])<<24
		if got := math.Float32frombits(bits); got != want {
			t.Fatalf("c[%d] is %v, expected %v", i, got, want)
		}
	}
}

// What a slice is part of is none of the library's business: a field next to pointers of Go may be multiplied with.
func TestMemoryNextToPointers(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(1, 64, 8, 3, false)
	w := pack(t, h, p.desc(), p.input())
	layer := &struct {
		next *problem
		a    [64]float32
		name *string
		c    [8]float32
		bias [8]float32
		more map[string]*problem
	}{next: &p, name: new(string), more: map[string]*problem{"": &p}}
	copy(layer.a[:], p.a)
	err := h.Gemm(marlin.GemmDesc{M: 1, Bias: marlin.Host(layer.bias[:])}, marlin.Host(layer.a[:]), w,
		marlin.Host(layer.c[:]))
	if err != nil {
		t.Fatal(err)
	}
	if i := differs(layer.c[:], p.want); i >= 0 {
		t.Errorf("c[%d] is %v, expected %v", i, layer.c[i], p.want[i])
	}
}

func TestNoRowsAreASuccess(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(1, 32, 8, 0, false)
	w := pack(t, h, p.desc(), p.input())
	if err := h.Gemm(marlin.GemmDesc{}, marlin.Host([]float32{}), w, marlin.Host([]float32{})); err != nil {
		t.Error(err)
	}
}

func TestShortSlicesAreRefused(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(3, 64, 8, 0, false)
	w := pack(t, h, p.desc(), p.input())
	long := make([]float32, 1000)
	huge := math.MaxInt64 / 4
	result := marlin.Host(make([]float32, 24))
	for _, bad := range []struct {
		desc    marlin.GemmDesc
		a, c    marlin.Memory
		message string
	}{
		{marlin.GemmDesc{M: 3}, marlin.Host(long[:191]), marlin.Host(long[500:]),
			"a has 764 bytes, expected at least 768: 3 rows of k = 64 f32, 64 apart"},
		{marlin.GemmDesc{M: 3, LdA: 70}, marlin.Host(long[:203]), marlin.Host(long[500:]),
			"a has 812 bytes, expected at least 816: 3 rows of k = 64 f32, 70 apart"},
		{marlin.GemmDesc{M: 3, LdC: 9}, marlin.Host(long), marlin.Host(make([]marlin.Float16, 25)),
			"c has 50 bytes, expected at least 52: 3 rows of n = 8 f16, 9 apart"},
		{marlin.GemmDesc{M: 3, Bias: marlin.Host(make([]marlin.BFloat16, 7))}, marlin.Host(long), result,
			"bias has 14 bytes, expected at least 16: 1 rows of n = 8 bf16, 8 apart"},
		{marlin.GemmDesc{M: 3, AType: marlin.F32}, marlin.Host(make([]marlin.Float16, 192)), marlin.Host(long),
			"a has 384 bytes, expected at least 768: 3 rows of k = 64 f32, 64 apart"},
		{marlin.GemmDesc{M: 2, LdA: huge / 2}, marlin.Host(long), result,
			"a has 4000 bytes, expected at least 4611686018427388156: 2 rows of k = 64 f32, 1152921504606846975 apart"},
		{marlin.GemmDesc{M: 3}, marlin.At(0x1000, 760, marlin.F32), marlin.Host(long),
			"a has 760 bytes, expected at least 768: 3 rows of k = 64 f32, 64 apart"},
		// And what the library refuses with words of its own:
		{marlin.GemmDesc{M: 3, LdA: huge}, marlin.Host(long), result, "the size of a"},
		{marlin.GemmDesc{M: -1}, marlin.Host(long), result, "desc.m is -1, expected 0 to 2147483647"},
		{marlin.GemmDesc{M: 3, LdA: 63}, marlin.Host(long), result, "desc.lda is 63, expected 0 or >= k = 64"},
		{marlin.GemmDesc{M: 3}, marlin.Memory{}, marlin.Host(long), "a is NULL, expected f16 values"},
		{marlin.GemmDesc{M: 3}, marlin.Host(long), marlin.Memory{}, "c is NULL, expected f32 values"},
		{marlin.GemmDesc{M: 3}, marlin.Host(make([]uint32, 192)), marlin.Host(long),
			"a holds words, expected f16, bf16 or f32"},
		{marlin.GemmDesc{M: 3}, marlin.Host(long), marlin.Host(make([]int32, 24)),
			"c holds words, expected f16, bf16 or f32"},
		{marlin.GemmDesc{M: 3}, marlin.Host(make([]uint8, 192)), marlin.Host(long),
			"desc.a_type is 10, expected 1 (f16), 2 (bf16) or 3 (f32)"},
		{marlin.GemmDesc{M: 3}, marlin.Host(long), marlin.Host(long), "c overlaps a"},
	} {
		err := h.Gemm(bad.desc, bad.a, w, bad.c)
		if !errors.Is(err, marlin.InvalidArgument) || !strings.HasPrefix(err.Error(), bad.message) {
			t.Errorf("got %v, expected %s", err, bad.message)
		}
	}
}

func TestQueryNamesTheKernel(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(1, 64, 8, 0, false)
	w := pack(t, h, p.desc(), p.input())
	info, err := h.Query(marlin.GemmDesc{M: 4, AType: marlin.F32}, w)
	if err != nil || info.Kernel == "" || info.Slow || info.Why != "" || info.KernelNumber == 0 {
		t.Errorf("got %+v, %v, expected a kernel that is not slow", info, err)
	}
	desc := p.desc()
	desc.Layout = marlin.LayoutDense
	info, err = h.Query(marlin.GemmDesc{M: 4}, pack(t, h, desc, p.input()))
	if err != nil || info.Kernel != "cpu_reference" || !info.Slow || info.Why == "" {
		t.Errorf("got %+v, %v, expected cpu_reference and why", info, err)
	}
	if _, err := h.Query(marlin.GemmDesc{M: 4, LdA: 3}, w); !errors.Is(err, marlin.InvalidArgument) {
		t.Errorf("got %v, expected InvalidArgument", err)
	}
}

func TestMultiplyAllocatesNothing(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(2, 64, 8, 0, false)
	w := pack(t, h, p.desc(), p.input())
	a, c, bias := p.a, make([]float32, len(p.want)), make([]float32, p.n)
	allocations := testing.AllocsPerRun(100, func() {
		err := h.Gemm(marlin.GemmDesc{M: p.m, Bias: marlin.Host(bias)}, marlin.Host(a), w, marlin.Host(c))
		if err != nil {
			t.Fatal(err)
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations a call, expected none", allocations)
	}
}
