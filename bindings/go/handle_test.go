// Tests of handles.

package marlin_test

import (
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"libmarlin/marlin"
)

func TestHandleSaysWhatItIs(t *testing.T) {
	info, err := cpuHandle(t, 2).Info()
	if err != nil {
		t.Fatal(err)
	}
	if info.Device != marlin.CPU || info.NumThreads != 2 || info.Name == "" || info.SMCount != 0 {
		t.Errorf("got %+v, expected a CPU handle of two threads", info)
	}
}

func TestOptionsComeBack(t *testing.T) {
	h := cpuHandle(t, 2)
	for _, set := range []struct {
		option marlin.Option
		value  int64
	}{
		{marlin.OptionMath, marlin.MathBatchInvariant},
		{marlin.OptionNumThreads, 1},
		{marlin.OptionCPUISA, marlin.ISAReference},
		{marlin.OptionKernel, 1},
	} {
		if err := h.SetOption(set.option, set.value); err != nil {
			t.Fatal(err)
		}
		if got, err := h.Option(set.option); err != nil || got != set.value {
			t.Errorf("option %d: got %d, %v, expected %d", set.option, got, err, set.value)
		}
	}
	if _, err := h.Option(99); !errors.Is(err, marlin.InvalidArgument) {
		t.Errorf("option 99: got %v, expected InvalidArgument", err)
	}
}

func TestStreamsAreNotForTheCPU(t *testing.T) {
	h := cpuHandle(t, 1)
	if err := h.SetStream(0); err != nil {
		t.Error(err)
	}
	if stream, err := h.Stream(); err != nil || stream != 0 {
		t.Errorf("got stream %#x, %v, expected none", stream, err)
	}
	if err := h.SetStream(0x1000); !errors.Is(err, marlin.InvalidArgument) {
		t.Errorf("got %v, expected InvalidArgument", err)
	}
}

func TestClosedAndNilHandlesAreRefused(t *testing.T) {
	closed := cpuHandle(t, 1)
	for i := 0; i < 2; i++ {
		if err := closed.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var none *marlin.Handle
	if err := none.Close(); err != nil {
		t.Error(err)
	}
	for h, want := range map[*marlin.Handle]string{
		closed: "handle is closed, expected an open one",
		none:   "handle is NULL, expected one that marlin_handle_create made",
	} {
		calls := map[string]func() error{
			"Info":         func() error { _, err := h.Info(); return err },
			"SetStream":    func() error { return h.SetStream(0) },
			"Stream":       func() error { _, err := h.Stream(); return err },
			"SetWorkspace": func() error { return h.SetWorkspace(0, 0) },
			"SetOption":    func() error { return h.SetOption(marlin.OptionMath, 0) },
			"Option":       func() error { _, err := h.Option(marlin.OptionMath); return err },
			"PackSize":     func() error { _, err := h.PackSize(marlin.PackDesc{}); return err },
			"PackAt":       func() error { _, err := h.PackAt(marlin.PackDesc{}, marlin.PackInput{}, 0, 0); return err },
			"Attach":       func() error { _, err := h.Attach(make([]byte, 256)); return err },
			"Unpack":       func() error { return h.Unpack(nil, marlin.UnpackDesc{}) },
			"Gemm":         func() error { return h.Gemm(marlin.GemmDesc{}, marlin.Memory{}, nil, marlin.Memory{}) },
			"Query":        func() error { _, err := h.Query(marlin.GemmDesc{}, nil); return err },
		}
		for name, call := range calls {
			if err := call(); !errors.Is(err, marlin.InvalidArgument) || err.Error() != want {
				t.Errorf("%s: got %v, expected %s", name, err, want)
			}
		}
	}
}

// A handle that nobody closes keeps its worker threads until the garbage collector finds it.
func TestForgottenHandlesAreFreed(t *testing.T) {
	const workers = 48
	before := threads(t)
	func() {
		h, err := marlin.NewHandle(marlin.HandleDesc{Device: marlin.CPU, NumThreads: workers + 1})
		if err != nil {
			t.Fatal(err)
		}
		runtime.KeepAlive(h)
	}()
	if now := threads(t); now < before+workers {
		t.Fatalf("%d threads, expected %d more than %d", now, workers, before)
	}
	for tries := 0; threads(t) > before+workers/2; tries++ {
		if tries == 500 {
			t.Fatalf("%d threads, %d before the handle: it was not freed", threads(t), before)
		}
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
}

func threads(t *testing.T) int {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}
