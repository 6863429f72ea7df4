// Golden vectors: packed bytes and products that all languages share.

package marlin_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"libmarlin/marlin"
)

// goldenCase is an entry of the manifest that the tests of all languages share. Formulas are texts.
type goldenCase struct {
	Name             string
	File             string
	LayoutNumber     int32 `json:"layout_number"`
	Sparsity         string
	Type             string
	ScaleType        string `json:"scale_type"`
	ZeroType         string `json:"zero_type"`
	K, N             int
	GroupSize        int `json:"group_size"`
	Groups           int
	SrcType          string `json:"src_type"`
	SrcOrder         string `json:"src_order"`
	Code             string
	Kept             string
	CodeWhereNotKept string `json:"code_where_not_kept"`
	Scale            string
	Zero             string
	GIdx             string `json:"g_idx"`
	Value            string
	Importance       string
	ScaleMethod      string `json:"scale_method"`
	ColumnScale      string `json:"column_scale"`
}

// The formulas of the manifest, each under its own text. What stands for k may be a group.
var formulas = map[string]func(k, n int) float32{
	"(7 * k + 3 * n + k * n % 5) % 16": func(k, n int) float32 { return float32((7*k + 3*n + k*n%5) % 16) },
	"k % 4 == n % 4 or k % 4 == (n + 1 + k // 4 % 3) % 4": func(k, n int) float32 {
		if k%4 == n%4 || k%4 == (n+1+k/4%3)%4 {
			return 1
		}
		return 0
	},
	"((3 * g + n) % 7 + 1) / 64":                  func(g, n int) float32 { return float32((3*g+n)%7+1) / 64 },
	"(5 * g + n) % 16":                            func(g, n int) float32 { return float32((5*g + n) % 16) },
	"((g + 3 * n) % 9 - 4) / 8":                   func(g, n int) float32 { return float32((g+3*n)%9-4) / 8 },
	"((37 * k + 11 * n + k * n) % 127 - 63) / 64": func(k, n int) float32 { return float32((37*k+11*n+k*n)%127-63) / 64 },
	"(k % 3 + 1) / 2":                             func(k, _ int) float32 { return float32(k%3+1) / 2 },
	"(n % 5 + 1) / 4":                             func(_, n int) float32 { return float32(n%5+1) / 4 },
	"5 * k % groups":                              func(k, groups int) float32 { return float32(5 * k % groups) },
	"8":                                           func(_, _ int) float32 { return 8 },
}

// table evaluates a formula for rows x columns, row by row; nil where the case has none.
func table(t *testing.T, text string, rows, columns int) []float32 {
	t.Helper()
	if text == "" {
		return nil
	}
	formula, known := formulas[text]
	if !known {
		t.Fatalf("the manifest has an unknown formula: %s", text)
	}
	values := make([]float32, rows*columns)
	for i := range values {
		values[i] = formula(i/columns, i%columns)
	}
	return values
}

// memoryOf rounds values to a type of the manifest.
func memoryOf(t *testing.T, values []float32, kind string) marlin.Memory {
	t.Helper()
	switch {
	case values == nil:
		return marlin.Memory{}
	case kind == "f16":
		return marlin.Host(marlin.Narrow[marlin.Float16](values))
	case kind == "bf16":
		return marlin.Host(marlin.Narrow[marlin.BFloat16](values))
	case kind == "u4", kind == "u8":
		whole := make([]uint8, len(values))
		for i, value := range values {
			whole[i] = uint8(value)
		}
		return marlin.Host(whole)
	}
	t.Fatalf("the manifest has an unknown type: %s", kind)
	return marlin.Memory{}
}

func typeOf(t *testing.T, name string) marlin.Type {
	for kind := marlin.TypeNone; kind <= marlin.U8; kind++ {
		if kind.String() == name {
			return kind
		}
	}
	t.Fatalf("the manifest has an unknown type: %s", name)
	return marlin.TypeNone
}

func (g goldenCase) desc(t *testing.T) marlin.PackDesc {
	sparsity, known := map[string]marlin.Sparsity{
		"dense": marlin.Dense, "already_24": marlin.Already24, "select_24": marlin.Select24,
	}[g.Sparsity]
	method, knownMethod := map[string]marlin.ScaleMethod{"": 0, "least_squares": marlin.LeastSquares}[g.ScaleMethod]
	if !known || !knownMethod || g.SrcOrder != "k x n" {
		t.Fatalf("the manifest says %s, %s, %s", g.Sparsity, g.ScaleMethod, g.SrcOrder)
	}
	return marlin.PackDesc{
		Type: typeOf(t, g.Type), ScaleType: typeOf(t, g.ScaleType), ZeroType: typeOf(t, g.ZeroType),
		Layout: marlin.Layout(g.LayoutNumber), Sparsity: sparsity, ScaleMethod: method,
		K: g.K, N: g.N, GroupSize: g.GroupSize,
	}
}

// codes are those of the source, with what is not kept replaced.
func (g goldenCase) codes(t *testing.T) []float32 {
	codes := table(t, g.Code, g.K, g.N)
	for i, kept := range table(t, g.Kept, g.K, g.N) {
		if kept == 0 {
			codes[i] = formulas[g.CodeWhereNotKept](0, 0)
		}
	}
	return codes
}

func (g goldenCase) gIdx(t *testing.T) []int32 {
	if g.GIdx == "" {
		return nil
	}
	index := make([]int32, g.K)
	for k := range index {
		index[k] = int32(formulas[g.GIdx](k, g.Groups))
	}
	return index
}

func (g goldenCase) input(t *testing.T) marlin.PackInput {
	src := g.codes(t)
	if g.Value != "" {
		src = table(t, g.Value, g.K, g.N)
	}
	input := marlin.PackInput{
		Src:    memoryOf(t, src, g.SrcType),
		Scales: memoryOf(t, table(t, g.Scale, g.Groups, g.N), g.ScaleType),
		Zeros:  memoryOf(t, table(t, g.Zero, g.Groups, g.N), g.ZeroType),
		GIdx:   marlin.Host(g.gIdx(t)),
	}
	if g.Importance != "" {
		input.Importance = marlin.Host(table(t, g.Importance, g.K, 1))
	}
	if g.ColumnScale != "" {
		input.ColumnScales = marlin.Host(table(t, g.ColumnScale, 1, g.N))
	}
	return input
}

func goldenCases(t *testing.T) []goldenCase {
	var manifest struct{ Cases []goldenCase }
	if err := json.Unmarshal(golden(t, "manifest.json"), &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Cases) == 0 {
		t.Fatal("the manifest has no cases")
	}
	return manifest.Cases
}

func TestGoldenBytes(t *testing.T) {
	h := cpuHandle(t, 2)
	for _, g := range goldenCases(t) {
		g := g
		t.Run(g.Name, func(t *testing.T) {
			want := golden(t, g.File)
			w := pack(t, h, g.desc(t), g.input(t))
			var got bytes.Buffer
			if _, err := w.WriteTo(&got); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Fatalf("%d packed bytes are not the %d of the file", got.Len(), len(want))
			}
			attached, err := h.Attach(want)
			if err != nil {
				t.Fatal(err)
			}
			defer attached.Close()
			if attached.Info() != w.Info() || attached.Info().Layout != marlin.Layout(g.LayoutNumber) {
				t.Errorf("attached %+v, packed %+v", attached.Info(), w.Info())
			}
			multiplyGolden(t, h, g, attached)
		})
	}
}

// multiplyGolden compares with sums in float64. A is whole numbers and weights are few bits, so that sums in float32
// are exact in any order.
func multiplyGolden(t *testing.T, h *marlin.Handle, g goldenCase, w *marlin.Weights) {
	const m = 3
	a, c := make([]float32, m*g.K), make([]float32, m*g.N)
	for i := range a {
		a[i] = float32(i*7%9 - 4)
	}
	call := h.Gemm
	if w.Info().Sparse {
		call = h.SpGemm
	}
	err := call(marlin.GemmDesc{M: m}, marlin.Host(marlin.Narrow[marlin.Float16](a)), w, marlin.Host(c))
	if g.ColumnScale != "" {
		if !errors.Is(err, marlin.NotSupported) {
			t.Errorf("weights with column scales: got %v, expected NotSupported", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	weights := g.weights(t, h, w)
	for row := 0; row < m; row++ {
		for n := 0; n < g.N; n++ {
			var want float64
			for k := 0; k < g.K; k++ {
				want += float64(a[row*g.K+k]) * weights[k*g.N+n]
			}
			if got := float64(c[row*g.N+n]); got != want {
				t.Fatalf("row %d, column %d is %v, expected %v", row, n, got, want)
			}
		}
	}
}

// weights are what the formulas say; which of them 2:4 selection kept, the library says.
func (g goldenCase) weights(t *testing.T, h *marlin.Handle, w *marlin.Weights) []float64 {
	unpacked := make([]float32, g.K*g.N)
	if err := h.Unpack(w, marlin.UnpackDesc{Dst: marlin.Host(unpacked)}); err != nil {
		t.Fatal(err)
	}
	codes, scales := g.codes(t), table(t, g.Scale, g.Groups, g.N)
	zeros, index := table(t, g.Zero, g.Groups, g.N), g.gIdx(t)
	weights := make([]float64, len(codes))
	for i := range weights {
		k, n := i/g.N, i%g.N
		group := 0
		switch {
		case index != nil:
			group = int(index[k])
		case g.GroupSize > 0:
			group = k / g.GroupSize
		}
		at := group*g.N + n
		code, scale := float64(codes[i]), float64(scales[at])
		switch g.ZeroType {
		case "none":
			weights[i] = (code - 8) * scale
		case "u8":
			weights[i] = (code - float64(zeros[at])) * scale
		default:
			weights[i] = code*scale + float64(zeros[at])
		}
		if g.Sparsity == "select_24" && unpacked[i] == 0 {
			weights[i] = 0
		}
		if float64(unpacked[i]) != weights[i] {
			t.Fatalf("unpacked row %d, column %d is %v, expected %v", k, n, unpacked[i], weights[i])
		}
	}
	return weights
}
