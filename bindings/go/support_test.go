// What the tests share: handles, a problem with exact numbers.

package marlin_test

import (
	"os"
	"path/filepath"
	"testing"

	"libmarlin/marlin"
)

// repository is the top of the checkout: tests run in the folder of their package.
const repository = "../.."

// golden returns the bytes of a file that the tests of all languages share.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, "tests", "golden", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func cpuHandle(t testing.TB, threads int) *marlin.Handle {
	t.Helper()
	h, err := marlin.NewHandle(marlin.HandleDesc{Device: marlin.CPU, NumThreads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func pack(t testing.TB, h *marlin.Handle, desc marlin.PackDesc, input marlin.PackInput) *marlin.Weights {
	t.Helper()
	w, err := h.Pack(desc, input)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// problem is a small multiply whose numbers are exact in every type and order of summation: A and codes are small whole
// numbers, scales powers of two.
type problem struct {
	m, k, n int
	codes   []int8 // k x n
	scales  []marlin.Float16
	a       []float32 // m x k
	want    []float32 // m x n
}

const problemGroup = 32

// newProblem makes one that differs with seed; sparse keeps two codes of four.
func newProblem(m, k, n, seed int, sparse bool) problem {
	p := problem{m: m, k: k, n: n, codes: make([]int8, k*n), a: make([]float32, m*k), want: make([]float32, m*n)}
	for i := range p.codes {
		row, column := i/n, i%n
		p.codes[i] = int8((row*7+column*3+seed)%15 - 7)
		if sparse && (row+column)%4 > 1 {
			p.codes[i] = 0
		}
	}
	groups := (k + problemGroup - 1) / problemGroup
	for g := 0; g < groups; g++ {
		for column := 0; column < n; column++ {
			p.scales = append(p.scales, marlin.ToFloat16(scaleOf(g, column)))
		}
	}
	for i := range p.a {
		p.a[i] = float32((i*5+seed)%7 - 3)
	}
	for row := 0; row < m; row++ {
		for column := 0; column < n; column++ {
			var sum float64
			for i := 0; i < k; i++ {
				weight := float64(p.codes[i*n+column]) * float64(scaleOf(i/problemGroup, column))
				sum += float64(p.a[row*k+i]) * weight
			}
			p.want[row*n+column] = float32(sum)
		}
	}
	return p
}

func scaleOf(group, column int) float32 { return 1 / float32(int(1)<<((group+column)%3)) }

func (p problem) desc() marlin.PackDesc {
	return marlin.PackDesc{K: p.k, N: p.n, GroupSize: problemGroup}
}

func (p problem) input() marlin.PackInput {
	return marlin.PackInput{Src: marlin.Host(p.codes), Scales: marlin.Host(p.scales)}
}

// differs returns the first position where two results differ, -1 for none.
func differs(got, want []float32) int {
	for i := range want {
		if got[i] != want[i] {
			return i
		}
	}
	return -1
}
