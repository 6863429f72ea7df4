// Tests of packing and unpacking.

package marlin_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"libmarlin/marlin"
)

func TestCodesComeBack(t *testing.T) {
	h := cpuHandle(t, 2)
	p := newProblem(1, 70, 9, 4, false)
	w := pack(t, h, p.desc(), p.input())
	info := w.Info()
	if info.K != 70 || info.N != 9 || info.GroupSize != 32 || info.Groups() < 3 || info.Type != marlin.S4 ||
		info.ScaleType != marlin.F16 || info.Device != marlin.CPU || info.Sparse || info.Layout != marlin.LayoutCPUDraft {
		t.Errorf("got %+v", info)
	}
	codes := make([]int8, len(p.codes))
	scales := make([]marlin.Float16, info.Groups()*p.n)
	if err := h.Unpack(w, marlin.UnpackDesc{Dst: marlin.Host(codes), Scales: marlin.Host(scales)}); err != nil {
		t.Fatal(err)
	}
	for i := range codes {
		if codes[i] != p.codes[i] {
			t.Fatalf("code %d is %d, expected %d", i, codes[i], p.codes[i])
		}
	}
	for i, want := range p.scales {
		if scales[i] != want {
			t.Fatalf("scale %d is %#x, expected %#x", i, scales[i], want)
		}
	}
}

// Everything that a description and an input can say, checked by the values that come back.
func TestZerosOffsetsAndRowsApart(t *testing.T) {
	h := cpuHandle(t, 1)
	const k, n, ld = 32, 4, 40
	codes := make([]uint8, (n-1)*ld+k) // n x k
	zeros := []uint8{0, 8, 15, 16}
	offsets := marlin.Narrow[marlin.BFloat16]([]float32{0, -1, 2.5, 0.125})
	scales := []float32{1, 0.5, 2, 0.25}
	for column := 0; column < n; column++ {
		for row := 0; row < k; row++ {
			codes[column*ld+row] = uint8((row + column) % 16)
		}
	}
	desc := marlin.PackDesc{SrcOrder: marlin.NxK, K: k, N: n, LdSrc: ld, GroupSize: 32, ScaleType: marlin.BF16}
	for _, zero := range []marlin.Memory{marlin.Host(zeros), marlin.Host(offsets)} {
		w := pack(t, h, desc, marlin.PackInput{Src: marlin.Host(codes), Scales: marlin.Host(scales), Zeros: zero})
		values := make([]float32, k*n)
		if err := h.Unpack(w, marlin.UnpackDesc{DstOrder: marlin.KxN, Dst: marlin.Host(values)}); err != nil {
			t.Fatal(err)
		}
		integer := w.Info().ZeroType == marlin.U8
		for i, got := range values {
			row, column := i/n, i%n
			code := float32((row + column) % 16)
			want := code*scales[column] + offsets[column].Float32()
			if integer {
				want = (code - float32(zeros[column])) * scales[column]
			}
			if got != want {
				t.Fatalf("integer zeros %v: row %d, column %d is %v, expected %v", integer, row, column, got, want)
			}
		}
	}
}

// Words of GPTQ along k, as a checkpoint has them: given as words, and as the bytes of a file.
func TestGPTQWords(t *testing.T) {
	h := cpuHandle(t, 1)
	const k, n = 32, 8
	words, zeros := make([]int32, k/8*n), make([]int32, 1)
	code := func(row, column int) int { return (3*row + column) % 16 }
	for row := 0; row < k; row++ {
		for column := 0; column < n; column++ {
			words[row/8*n+column] |= int32(uint32(code(row, column)) << (4 * (row % 8)))
		}
	}
	for column := 0; column < n; column++ {
		zeros[0] |= int32(uint32(column) << (4 * column))
	}
	scales := marlin.Narrow[marlin.Float16]([]float32{1, 1, 1, 1, 2, 2, 2, 2})
	gIdx := make([]int32, k)
	desc := marlin.PackDesc{Source: marlin.SourceGPTQv1, K: k, N: n, GroupSize: 32}
	bytes := make([]byte, 4*len(words))
	for i, word := range words {
		for j := 0; j < 4; j++ {
			bytes[4*i+j] = byte(uint32(word) >> (8 * j))
		}
	}
	for _, src := range []marlin.Memory{marlin.Host(words), marlin.Host(bytes)} {
		w := pack(t, h, desc, marlin.PackInput{Src: src, Scales: marlin.Host(scales), Zeros: marlin.Host(zeros),
			GIdx: marlin.Host(gIdx)})
		values := make([]marlin.Float16, k*n)
		if err := h.Unpack(w, marlin.UnpackDesc{Dst: marlin.Host(values)}); err != nil {
			t.Fatal(err)
		}
		for i, got := range values {
			row, column := i/n, i%n
			want := float32(code(row, column)-column-1) * scales[column].Float32()
			if got.Float32() != want {
				t.Fatalf("row %d, column %d is %v, expected %v", row, column, got.Float32(), want)
			}
		}
	}
}

func TestPackSizeIsEnough(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(1, 70, 9, 0, false)
	desc := p.desc()
	desc.SrcType, desc.SrcScaleType = marlin.S4, marlin.F16
	size, err := h.PackSize(desc)
	if got := pack(t, h, p.desc(), p.input()).Info().Size; err != nil || got != size {
		t.Errorf("packed into %d bytes, PackSize says %d, %v", got, size, err)
	}
}

func TestInputsThatTheLibraryWouldMisread(t *testing.T) {
	h := cpuHandle(t, 1)
	values := marlin.Host(make([]float32, 64*8))
	desc := marlin.PackDesc{K: 64, N: 8, GroupSize: 32}
	for _, bad := range []struct {
		input marlin.PackInput
		text  string
	}{
		{marlin.PackInput{Src: values, GIdx: marlin.Host(make([]float32, 64))}, "g_idx holds f32, expected int32"},
		{marlin.PackInput{Src: values, Importance: marlin.Host(make([]int32, 64))},
			"importance holds words, expected float32"},
		{marlin.PackInput{Src: values, ColumnScales: marlin.Host(make([]marlin.Float16, 8))},
			"column_scales holds f16, expected float32"},
		{marlin.PackInput{Src: values, Importance: marlin.At(0x1000, 256, marlin.F32)},
			"the input is partly slices and partly addresses, expected one or the other"},
	} {
		for _, call := range []func() (*marlin.Weights, error){
			func() (*marlin.Weights, error) { return h.Pack(desc, bad.input) },
			func() (*marlin.Weights, error) { return h.PackAt(desc, bad.input, 0x1000, 1<<20) },
		} {
			if _, err := call(); !errors.Is(err, marlin.InvalidArgument) || err.Error() != bad.text {
				t.Errorf("got %v, expected %s", err, bad.text)
			}
		}
	}
}

func TestRefusedPacking(t *testing.T) {
	h := cpuHandle(t, 1)
	src := marlin.Host(make([]float32, 64*8))
	for _, bad := range []struct {
		desc   marlin.PackDesc
		input  marlin.PackInput
		status marlin.Status
		text   string
	}{
		{marlin.PackDesc{K: 64, N: 8, GroupSize: 32}, marlin.PackInput{}, marlin.InvalidArgument, ""},
		{marlin.PackDesc{K: 64, N: 9, GroupSize: 32}, marlin.PackInput{Src: src},
			marlin.InvalidArgument, "size is 2048"},
		{marlin.PackDesc{K: -1, N: 8, GroupSize: 32}, marlin.PackInput{Src: src},
			marlin.InvalidArgument, "k is -1"},
		{marlin.PackDesc{K: 64, N: 8, GroupSize: 32, ActOrder: true}, marlin.PackInput{Src: src},
			marlin.InvalidArgument, "g_idx is NULL"},
		{marlin.PackDesc{K: 64, N: 8, GroupSize: 32, Source: marlin.SourceMarlin24}, marlin.PackInput{Src: src},
			marlin.NotSupported, ""},
		{marlin.PackDesc{K: 64, N: 8, GroupSize: 32, Type: marlin.S8}, marlin.PackInput{Src: src},
			marlin.NotSupported, "desc.type is 6"},
		{marlin.PackDesc{K: math.MaxInt32, N: math.MaxInt32, GroupSize: 32}, marlin.PackInput{Src: src},
			marlin.OutOfMemory, "packed weights"},
	} {
		_, err := h.Pack(bad.desc, bad.input)
		if !errors.Is(err, bad.status) || !strings.Contains(err.Error(), bad.text) {
			t.Errorf("got %v, expected %v with %q", err, bad.status, bad.text)
		}
	}
}
