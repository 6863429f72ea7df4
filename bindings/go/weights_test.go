// Tests of packed weights.

package marlin_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"libmarlin/marlin"
)

// expectProduct multiplies a problem by weights and compares.
func expectProduct(t *testing.T, h *marlin.Handle, p problem, w *marlin.Weights) {
	t.Helper()
	c := make([]float32, len(p.want))
	if err := h.Gemm(marlin.GemmDesc{M: p.m}, marlin.Host(p.a), w, marlin.Host(c)); err != nil {
		t.Fatal(err)
	}
	if i := differs(c, p.want); i >= 0 {
		t.Errorf("c[%d] is %v, expected %v", i, c[i], p.want[i])
	}
}

func TestSavedWeightsLoad(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(2, 70, 9, 1, false)
	w := pack(t, h, p.desc(), p.input())
	folder := t.TempDir()
	path := filepath.Join(folder, "layer.marlin")
	if err := w.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := h.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	if loaded.Info() != w.Info() {
		t.Errorf("loaded %+v, expected %+v", loaded.Info(), w.Info())
	}
	expectProduct(t, h, p, loaded)
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v, expected one file", entries, err)
	}
}

func TestWrittenBytesAttach(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(2, 70, 9, 1, false)
	w := pack(t, h, p.desc(), p.input())
	var packed bytes.Buffer
	if size, err := w.WriteTo(&packed); err != nil || size != int64(w.Info().Size) || packed.Len() != int(size) {
		t.Fatalf("wrote %d, %v, expected %d", size, err, w.Info().Size)
	}
	attached, err := h.Attach(packed.Bytes()[:packed.Len():packed.Len()])
	if err != nil {
		t.Fatal(err)
	}
	defer attached.Close()
	for i := range packed.Bytes() {
		packed.Bytes()[i] = 0xff // it was copied
	}
	expectProduct(t, h, p, attached)
}

func TestWhatCannotBeLoaded(t *testing.T) {
	h := cpuHandle(t, 1)
	if _, err := h.Load(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, expected that there is no such file", err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Load(empty); !errors.Is(err, marlin.BadPackedData) {
		t.Errorf("got %v, expected BadPackedData", err)
	}
	if _, err := h.Attach(nil); !errors.Is(err, marlin.BadPackedData) {
		t.Errorf("got %v, expected BadPackedData", err)
	}
	if _, err := h.Attach(make([]byte, 4096)); !errors.Is(err, marlin.BadPackedData) {
		t.Errorf("got %v, expected BadPackedData", err)
	}
	if _, err := h.AttachAt(0, 0); !errors.Is(err, marlin.InvalidArgument) {
		t.Errorf("got %v, expected InvalidArgument", err)
	}
	if _, err := h.AttachAt(0x101, 256); !errors.Is(err, marlin.InvalidArgument) {
		t.Errorf("got %v, expected InvalidArgument", err)
	}
}

func TestSavingWhereThereIsNoFolder(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(1, 32, 8, 0, false)
	w := pack(t, h, p.desc(), p.input())
	if err := w.Save(filepath.Join(t.TempDir(), "missing", "layer")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, expected that there is no such folder", err)
	}
	folder := t.TempDir()
	w.Close()
	if err := w.Save(filepath.Join(folder, "layer")); !errors.Is(err, marlin.InvalidArgument) {
		t.Errorf("got %v, expected InvalidArgument", err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v, %v, expected nothing", entries, err)
	}
}

func TestClosedAndNilWeightsAreRefused(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(1, 32, 8, 0, false)
	closed := pack(t, h, p.desc(), p.input())
	for i := 0; i < 2; i++ {
		if err := closed.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var none *marlin.Weights
	if err := none.Close(); err != nil {
		t.Error(err)
	}
	c := make([]float32, p.n)
	const isClosed = "weights are closed, expected open ones"
	for w, want := range map[*marlin.Weights][3]string{
		closed: {isClosed, isClosed, isClosed},
		none:   {"b is NULL", "b is NULL", "weights is NULL"},
	} {
		_, query := h.Query(marlin.GemmDesc{M: 1}, w)
		for i, err := range []error{
			h.Gemm(marlin.GemmDesc{M: 1}, marlin.Host(p.a), w, marlin.Host(c)),
			query,
			h.Unpack(w, marlin.UnpackDesc{Dst: marlin.Host(make([]float32, 256))}),
		} {
			if !errors.Is(err, marlin.InvalidArgument) || err.Error() != want[i] {
				t.Errorf("call %d: got %v, expected %s", i, err, want[i])
			}
		}
	}
	if _, err := none.WriteTo(&bytes.Buffer{}); !errors.Is(err, marlin.InvalidArgument) {
		t.Errorf("got %v, expected InvalidArgument", err)
	}
	if closed.Info().K != p.k {
		t.Errorf("closed weights say %+v, expected what they were", closed.Info())
	}
}

func TestForgottenWeightsAreFreed(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(1, 32, 8, 0, false)
	path := filepath.Join(t.TempDir(), "forgotten.marlin")
	if err := pack(t, h, p.desc(), p.input()).Save(path); err != nil {
		t.Fatal(err)
	}
	func() {
		w, err := h.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !mapped(t, path) {
			t.Fatal("loaded weights are not mapped")
		}
		runtime.KeepAlive(w)
	}()
	for tries := 0; mapped(t, path); tries++ {
		if tries == 500 {
			t.Fatal("the weights were not freed")
		}
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
}

func mapped(t *testing.T, path string) bool {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(maps), path)
}
