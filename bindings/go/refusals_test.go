// Bad calls that all languages share, with the library's words.

package marlin_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"libmarlin/marlin"
)

// refusal is a bad call that the tests of all languages make; refusals.json says how.
type refusal struct {
	Name       string
	Call       string
	DeviceID   int `json:"device_id"`
	NumThreads int `json:"num_threads"`
	Option     string
	Value      json.RawMessage // of an option, or a spoilt value
	GroupSize  int             `json:"group_size"`
	SrcType    string          `json:"src_type"`
	Code       *spoilt
	Scale      *spoilt
	Sparsity   string
	File       string
	Byte       int
	Xor        byte
	Size       *int
	Sparse     bool
	Status     string
	Text       string
}

type spoilt struct {
	K, N, Group int
	Is          any
}

func (s *spoilt) number(t *testing.T) float32 {
	switch is := s.Is.(type) {
	case float64:
		return float32(is)
	case string:
		if is == "nan" {
			return float32(math.NaN())
		}
		if is == "inf" {
			return float32(math.Inf(1))
		}
	}
	t.Fatalf("unknown number %v", s.Is)
	return 0
}

func TestRefusals(t *testing.T) {
	var file struct{ Cases []refusal }
	if err := json.Unmarshal(golden(t, "refusals.json"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatal("there are no refusals")
	}
	h := cpuHandle(t, 2)
	calls := map[string]func(*testing.T, *marlin.Handle, refusal) error{
		"handle": refusedHandle, "option": refusedOption, "pack": refusedPack, "attach": refusedAttach, "gemm": refusedGemm,
	}
	for _, r := range file.Cases {
		r := r
		t.Run(r.Name, func(t *testing.T) {
			call, known := calls[r.Call]
			if !known {
				t.Fatalf("unknown call %s", r.Call)
			}
			err := call(t, h, r)
			var failed *marlin.Error
			if !errors.As(err, &failed) {
				t.Fatalf("got %v, expected %s: %s", err, r.Status, r.Text)
			}
			if failed.Status.String() != r.Status || failed.Text != r.Text || err.Error() != r.Text {
				t.Errorf("got %v: %s, expected %s: %s", failed.Status.String(), failed.Text, r.Status, r.Text)
			}
			p := newProblem(1, 32, 8, 0, false)
			expectProduct(t, h, p, pack(t, h, p.desc(), p.input()))
		})
	}
}

func refusedHandle(t *testing.T, _ *marlin.Handle, r refusal) error {
	h, err := marlin.NewHandle(marlin.HandleDesc{Device: marlin.CPU, DeviceID: r.DeviceID, NumThreads: r.NumThreads})
	if h != nil {
		h.Close()
	}
	return err
}

func refusedOption(t *testing.T, h *marlin.Handle, r refusal) error {
	option, known := map[string]marlin.Option{
		"MATH": marlin.OptionMath, "SM_COUNT": marlin.OptionSMCount, "NUM_THREADS": marlin.OptionNumThreads,
		"CPU_ISA": marlin.OptionCPUISA, "KERNEL": marlin.OptionKernel, "DEPENDENT_LAUNCH": marlin.OptionDependentLaunch,
	}[r.Option]
	var value int64
	if err := json.Unmarshal(r.Value, &value); err != nil || !known {
		t.Fatalf("option %s, value %s: %v", r.Option, r.Value, err)
	}
	return h.SetOption(option, value)
}

func refusedPack(t *testing.T, h *marlin.Handle, r refusal) error {
	const k, n, groups = 64, 16, 2
	desc := marlin.PackDesc{K: k, N: n, GroupSize: 32}
	if r.GroupSize != 0 {
		desc.GroupSize = r.GroupSize
	}
	sparsity, known := map[string]marlin.Sparsity{
		"": marlin.Dense, "already_24": marlin.Already24, "select_24": marlin.Select24,
	}[r.Sparsity]
	if !known {
		t.Fatalf("unknown sparsity %s", r.Sparsity)
	}
	desc.Sparsity = sparsity
	values, codes, scales := make([]float32, k*n), make([]int8, k*n), make([]marlin.Float16, groups*n)
	for i := range values {
		values[i], codes[i], scales[i%len(scales)] = 1, 1, marlin.ToFloat16(1)
	}
	if r.Value != nil {
		var value spoilt
		if err := json.Unmarshal(r.Value, &value); err != nil {
			t.Fatal(err)
		}
		values[value.K*n+value.N] = value.number(t)
	}
	if r.Code != nil {
		codes[r.Code.K*n+r.Code.N] = int8(r.Code.number(t))
	}
	if r.Scale != nil {
		scales[r.Scale.Group*n+r.Scale.N] = marlin.ToFloat16(r.Scale.number(t))
	}
	input := marlin.PackInput{Src: marlin.Host(values)}
	if r.SrcType == "s4" {
		input = marlin.PackInput{Src: marlin.Host(codes), Scales: marlin.Host(scales)}
	}
	w, err := h.Pack(desc, input)
	w.Close()
	return err
}

func refusedAttach(t *testing.T, h *marlin.Handle, r refusal) error {
	packed := golden(t, r.File)
	if r.Size != nil {
		packed = packed[:*r.Size]
	}
	if r.Xor != 0 {
		packed[r.Byte] ^= r.Xor
	}
	w, err := h.Attach(packed)
	w.Close()
	return err
}

func refusedGemm(t *testing.T, h *marlin.Handle, r refusal) error {
	const m = 3
	w, err := h.Attach(golden(t, r.File))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	call := h.Gemm
	if r.Sparse {
		call = h.SpGemm
	}
	a, c := make([]marlin.Float16, m*w.Info().K), make([]float32, m*w.Info().N)
	return call(marlin.GemmDesc{M: m}, marlin.Host(a), w, marlin.Host(c))
}
