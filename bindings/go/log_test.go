// Tests of the log.

package marlin_test

import (
	"strings"
	"sync"
	"testing"

	"libmarlin/marlin"
)

// collect takes the log of the process until the test ends.
func collect(t *testing.T, level marlin.LogLevel) func() []string {
	var mutex sync.Mutex
	var lines []string
	marlin.SetLog(level, func(level marlin.LogLevel, message string) {
		mutex.Lock()
		defer mutex.Unlock()
		lines = append(lines, level.String()+": "+message)
	})
	t.Cleanup(func() { marlin.SetLog(marlin.LogOff, nil) })
	return func() []string {
		mutex.Lock()
		defer mutex.Unlock()
		return append([]string(nil), lines...)
	}
}

func TestLogTellsOfCallsAndFailures(t *testing.T) {
	h := cpuHandle(t, 1)
	p := newProblem(2, 64, 16, 0, false)
	w := pack(t, h, p.desc(), p.input())
	lines := collect(t, marlin.LogCalls)
	if err := product(h, p, w, 0); err != nil {
		t.Fatal(err)
	}
	got := lines()
	if len(got) != 2 || !strings.HasPrefix(got[0], "calls: ") ||
		got[1] != "error: marlin_gemm: desc.m is -1, expected 0 to 2147483647" {
		t.Errorf("got %q, expected a call and a failure", got)
	}
	marlin.SetLog(marlin.LogOff, nil)
	if err := product(h, p, w, 0); err != nil {
		t.Fatal(err)
	}
	if now := lines(); len(now) != len(got) {
		t.Errorf("with the log off: %q", now[len(got):])
	}
}

func TestLogOfManyGoroutines(t *testing.T) {
	p := newProblem(1, 64, 16, 0, false)
	w := pack(t, cpuHandle(t, 1), p.desc(), p.input())
	lines := collect(t, marlin.LogError)
	const goroutines, rounds = 16, 20
	together(t, goroutines, func(i int) error {
		h, err := marlin.NewHandle(marlin.HandleDesc{Device: marlin.CPU, NumThreads: 1})
		if err != nil {
			return err
		}
		defer h.Close()
		for round := 0; round < rounds; round++ {
			if err := product(h, p, w, i); err != nil {
				return err
			}
		}
		return nil
	})
	if got := lines(); len(got) != goroutines*rounds {
		t.Errorf("%d lines, expected %d", len(got), goroutines*rounds)
	}
}

// A receiver may use other handles, and its panic stays its own.
func TestWhatAReceiverMayDo(t *testing.T) {
	h, other := cpuHandle(t, 1), cpuHandle(t, 1)
	p := newProblem(1, 64, 16, 0, false)
	w := pack(t, h, p.desc(), p.input())
	calls := 0
	marlin.SetLog(marlin.LogError, func(marlin.LogLevel, string) {
		if calls++; calls > 1 { // not for the failure made here
			return
		}
		if _, err := other.Info(); err != nil {
			t.Error(err)
		}
		panic("of the test")
	})
	defer marlin.SetLog(marlin.LogOff, nil)
	for i := 0; i < 2; i++ {
		if err := product(h, p, w, 0); err != nil {
			t.Error(err)
		}
	}
	if calls != 2 {
		t.Errorf("%d calls of the receiver, expected 2", calls)
	}
}

func TestNamesOfLevels(t *testing.T) {
	for level, want := range map[marlin.LogLevel]string{
		marlin.LogOff: "off", marlin.LogError: "error", marlin.LogWarning: "warning", marlin.LogCalls: "calls",
		9: "LogLevel(9)",
	} {
		if level.String() != want {
			t.Errorf("got %s, expected %s", level, want)
		}
	}
}
