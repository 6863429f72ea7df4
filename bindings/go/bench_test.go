// What a call costs through Go.

package marlin_test

import (
	"fmt"
	"testing"
	"time"

	"libmarlin/marlin"
	"libmarlin/marlin/internal/direct"
)

// What a call costs through Go and from C, on weights so small that little else is left; "added" is the difference.
func BenchmarkGemmCall(b *testing.B) {
	const k, n = 32, 8
	h := cpuHandle(b, 1)
	w := pack(b, h, marlin.PackDesc{K: k, N: n, GroupSize: marlin.PerColumn},
		marlin.PackInput{Src: marlin.Host(make([]float32, k*n))})
	a, c := make([]float32, k), make([]float32, n)
	for m := 0; m <= 1; m++ {
		b.Run(fmt.Sprintf("m=%d", m), func(b *testing.B) {
			b.ReportAllocs()
			start := time.Now()
			for i := 0; i < b.N; i++ {
				if err := h.Gemm(marlin.GemmDesc{M: m}, marlin.Host(a), w, marlin.Host(c)); err != nil {
					b.Fatal(err)
				}
			}
			through := time.Since(start)
			b.StopTimer()
			took, err := direct.Multiply(m, k, n, b.N)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/op-from-C")
			b.ReportMetric(float64((through-took).Nanoseconds())/float64(b.N), "ns/op-added")
		})
	}
}
