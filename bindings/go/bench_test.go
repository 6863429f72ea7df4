package marlin_test

import (
	"testing"

	"libmarlin/marlin"
)

// The least that a multiply can do: what is left is the way there and back.
func BenchmarkGemmCall(b *testing.B) {
	h, err := marlin.NewHandle(marlin.HandleDesc{Device: marlin.CPU, NumThreads: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	const k, n = 32, 8
	w, err := h.Pack(marlin.PackDesc{K: k, N: n, GroupSize: 32}, marlin.PackInput{Src: marlin.Host(make([]float32, k*n))})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	a, c := make([]float32, k), make([]float32, n)
	for _, m := range []int{0, 1} {
		name := map[int]string{0: "checked only", 1: "multiplied"}[m]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				if err := h.Gemm(marlin.GemmDesc{M: m}, marlin.Host(a), w, marlin.Host(c)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("version", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			marlin.Version()
		}
	})
}
