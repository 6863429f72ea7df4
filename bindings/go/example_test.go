// Examples, which the documentation shows.

package marlin_test

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"libmarlin/marlin"
)

// exampleWeights packs k x n ones.
func exampleWeights(handle *marlin.Handle, k, n int) *marlin.Weights {
	w := make([]float32, k*n)
	for i := range w {
		w[i] = 1
	}
	weights, err := handle.Pack(marlin.PackDesc{K: k, N: n, GroupSize: 32}, marlin.PackInput{Src: marlin.Host(w)})
	if err != nil {
		log.Fatal(err)
	}
	return weights
}

func exampleHandle() *marlin.Handle {
	handle, err := marlin.NewHandle(marlin.HandleDesc{Device: marlin.CPU})
	if err != nil {
		log.Fatal(err)
	}
	return handle
}

// From values to a product in half precision.
func Example() {
	handle, err := marlin.NewHandle(marlin.HandleDesc{Device: marlin.CPU})
	if err != nil {
		log.Fatal(err)
	}
	defer handle.Close()

	const m, k, n = 2, 64, 8
	w := make([]float32, n*k) // one row for each output feature, as in torch.nn.Linear
	for i := range w {
		w[i] = float32(i/k) * 0.5
	}
	weights, err := handle.Pack(
		marlin.PackDesc{SrcOrder: marlin.NxK, K: k, N: n, GroupSize: 32},
		marlin.PackInput{Src: marlin.Host(w)})
	if err != nil {
		log.Fatal(err)
	}
	defer weights.Close()

	a := make([]marlin.Float16, m*k)
	for i := range a {
		a[i] = marlin.ToFloat16(1)
	}
	c := make([]float32, m*n)
	if err := handle.Gemm(marlin.GemmDesc{M: m}, marlin.Host(a), weights, marlin.Host(c)); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f\n", c[:n])
	// Output: [0 32 64 96 128 160 192 224]
}

// Codes and scales that another quantiser found are stored as they are.
func ExampleHandle_Pack() {
	handle := exampleHandle()
	defer handle.Close()
	const k, n = 32, 2
	codes := make([]uint8, k*n) // 0..15
	for i := range codes {
		codes[i] = uint8(i % 16)
	}
	weights, err := handle.Pack(
		marlin.PackDesc{K: k, N: n, GroupSize: 32},
		marlin.PackInput{
			Src:    marlin.Host(codes),
			Scales: marlin.Host(marlin.Narrow[marlin.Float16]([]float32{0.5, 2})), // groups x n
			Zeros:  marlin.Host([]uint8{8, 0}),                                    // w = (code - zero) * scale
		})
	if err != nil {
		log.Fatal(err)
	}
	defer weights.Close()
	info := weights.Info()
	fmt.Println(info.Type, info.ZeroType, info.ScaleType, info.Layout)
	// Output: u4 u8 f16 cpu_draft
}

// The qweight, qzeros, scales and g_idx of a GPTQ checkpoint, as its file holds them.
func ExampleHandle_Pack_gptq() {
	handle := exampleHandle()
	defer handle.Close()
	const k, n = 64, 8
	qweight, qzeros := make([]byte, k/8*n*4), make([]byte, 2*n/8*4)
	scales, gIdx := make([]byte, 2*n*2), make([]int32, k)
	for i := range gIdx {
		gIdx[i] = int32(i % 2)
	}
	weights, err := handle.Pack(
		marlin.PackDesc{Source: marlin.SourceGPTQv1, K: k, N: n, GroupSize: 32},
		marlin.PackInput{
			Src:    marlin.Host(qweight),
			Scales: marlin.HostAs(scales, marlin.F16),
			Zeros:  marlin.Host(qzeros),
			GIdx:   marlin.Host(gIdx),
		})
	if err != nil {
		log.Fatal(err)
	}
	defer weights.Close()
	fmt.Println(weights.Info().Type, weights.Info().ZeroType)
	// Output: u4 u8
}

// A bias, and rows that are apart: the first of three column blocks of one buffer.
func ExampleHandle_Gemm() {
	handle := exampleHandle()
	defer handle.Close()
	const m, k, n = 2, 32, 4
	weights := exampleWeights(handle, k, n)
	defer weights.Close()
	a := make([]float32, m*k)
	for i := range a {
		a[i] = float32(1 + i/k)
	}
	bias := []float32{0, 1, 2, 3}
	c := make([]float32, m*3*n)
	desc := marlin.GemmDesc{M: m, LdC: 3 * n, Bias: marlin.Host(bias)}
	if err := handle.Gemm(desc, marlin.Host(a), weights, marlin.Host(c)); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f\n%.0f\n", c[:n], c[3*n:4*n])
	// Output:
	// [32 33 34 35]
	// [64 65 66 67]
}

// Of each four weights of a column the two largest are kept.
func ExampleHandle_SpGemm() {
	handle := exampleHandle()
	defer handle.Close()
	const k, n = 64, 1
	w := make([]float32, k*n)
	for i := range w {
		w[i] = float32(i % 4)
	}
	weights, err := handle.Pack(
		marlin.PackDesc{K: k, N: n, GroupSize: marlin.PerColumn, Type: marlin.U4, Sparsity: marlin.Select24},
		marlin.PackInput{Src: marlin.Host(w)})
	if err != nil {
		log.Fatal(err)
	}
	defer weights.Close()
	a, c := make([]float32, k), make([]float32, n)
	for i := range a {
		a[i] = 1
	}
	if err := handle.SpGemm(marlin.GemmDesc{M: 1}, marlin.Host(a), weights, marlin.Host(c)); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f\n", c)
	// Output: [80.0]
}

func ExampleHandle_Query() {
	handle := exampleHandle()
	defer handle.Close()
	if err := handle.SetOption(marlin.OptionCPUISA, marlin.ISAReference); err != nil {
		log.Fatal(err)
	}
	weights := exampleWeights(handle, 64, 8)
	defer weights.Close()
	info, err := handle.Query(marlin.GemmDesc{M: 16, AType: marlin.BF16}, weights)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Kernel)
	// Output: cpu_reference
}

// Packed bytes go to a file and are mapped again without the source.
func ExampleWeights_Save() {
	handle := exampleHandle()
	defer handle.Close()
	weights := exampleWeights(handle, 64, 8)
	defer weights.Close()
	folder, err := os.MkdirTemp("", "marlin")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "layer.marlin")

	if err := weights.Save(path); err != nil {
		log.Fatal(err)
	}
	loaded, err := handle.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	fmt.Println(loaded.Info().K, loaded.Info().N)
	// Output: 64 8
}

func ExampleHandle_Attach() {
	handle := exampleHandle()
	defer handle.Close()
	weights := exampleWeights(handle, 64, 8)
	defer weights.Close()
	var packed bytes.Buffer
	if _, err := weights.WriteTo(&packed); err != nil {
		log.Fatal(err)
	}
	packed.Bytes()[300] ^= 1
	_, err := handle.Attach(packed.Bytes())
	fmt.Println(errors.Is(err, marlin.BadPackedData))
	// Output: true
}

func ExampleError() {
	handle := exampleHandle()
	defer handle.Close()
	weights := exampleWeights(handle, 64, 8)
	defer weights.Close()
	a, c := make([]float32, 64), make([]float32, 8)

	err := handle.Gemm(marlin.GemmDesc{M: 1, LdA: 10}, marlin.Host(a), weights, marlin.Host(c))
	if errors.Is(err, marlin.InvalidArgument) {
		fmt.Println(err)
	}
	var failed *marlin.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Status.String())
	}
	// Output:
	// desc.lda is 10, expected 0 or >= k = 64
	// MARLIN_INVALID_ARGUMENT
}

func ExampleSetLog() {
	handle := exampleHandle()
	defer handle.Close()

	marlin.SetLog(marlin.LogError, func(level marlin.LogLevel, message string) {
		fmt.Println(level, message)
	})
	defer marlin.SetLog(marlin.LogOff, nil)

	_ = handle.SetOption(marlin.OptionMath, 2)
	// Output: error marlin_handle_set_option: MARLIN_OPTION_MATH is 2, expected 0 to 1
}

func ExampleHandle_Unpack() {
	handle := exampleHandle()
	defer handle.Close()
	weights := exampleWeights(handle, 32, 2)
	defer weights.Close()
	values := make([]marlin.BFloat16, 32*2)
	if err := handle.Unpack(weights, marlin.UnpackDesc{Dst: marlin.Host(values)}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(values[0].Float32())
	// Output: 1
}
