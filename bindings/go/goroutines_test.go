// Tests with many goroutines.

package marlin_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"libmarlin/marlin"
)

// together runs body in so many goroutines at once and reports what they return.
func together(t *testing.T, goroutines int, body func(i int) error) {
	t.Helper()
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := 0; i < goroutines; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			<-start
			if err := body(i); err != nil {
				t.Errorf("goroutine %d: %v", i, err)
			}
		}(i)
	}
	close(start)
	all.Wait()
}

// product multiplies and compares; then a call that fails must bring the text of this call and of no other.
func product(h *marlin.Handle, p problem, w *marlin.Weights, own int) error {
	c := make([]float32, len(p.want))
	if err := h.Gemm(marlin.GemmDesc{M: p.m}, marlin.Host(p.a), w, marlin.Host(c)); err != nil {
		return err
	}
	if i := differs(c, p.want); i >= 0 {
		return fmt.Errorf("c[%d] is %v, expected %v", i, c[i], p.want[i])
	}
	runtime.Gosched() // a chance to go on in another thread
	err := h.Gemm(marlin.GemmDesc{M: -1 - own}, marlin.Host(p.a), w, marlin.Host(c))
	want := fmt.Sprintf("desc.m is %d, expected 0 to 2147483647", -1-own)
	if !errors.Is(err, marlin.InvalidArgument) || err.Error() != want {
		return fmt.Errorf("got %v, expected %s", err, want)
	}
	return nil
}

func TestHandlesOfTheirOwn(t *testing.T) {
	together(t, 64, func(i int) error {
		h, err := marlin.NewHandle(marlin.HandleDesc{Device: marlin.CPU, NumThreads: 1 + i%2})
		if err != nil {
			return err
		}
		defer h.Close()
		p := newProblem(1+i%5, 64, 16, i, false)
		w, err := h.Pack(p.desc(), p.input())
		if err != nil {
			return err
		}
		defer w.Close()
		for round := 0; round < 50; round++ {
			if err := product(h, p, w, 1000*i+round); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestWeightsShared(t *testing.T) {
	p := newProblem(2, 64, 16, 1, false)
	w := pack(t, cpuHandle(t, 1), p.desc(), p.input())
	together(t, 64, func(i int) error {
		h, err := marlin.NewHandle(marlin.HandleDesc{Device: marlin.CPU, NumThreads: 1})
		if err != nil {
			return err
		}
		defer h.Close()
		for round := 0; round < 50; round++ {
			if err := product(h, p, w, i); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestHandleShared(t *testing.T) {
	h := cpuHandle(t, 2)
	together(t, 16, func(i int) error {
		p := newProblem(2, 64, 16, i, false)
		w, err := h.Pack(p.desc(), p.input())
		if err != nil {
			return err
		}
		defer w.Close()
		for round := 0; round < 50; round++ {
			if err := product(h, p, w, 1000*i+round); err != nil {
				return err
			}
		}
		return nil
	})
}

// The text of a call without a handle is kept for its thread, which other goroutines use meanwhile.
func TestTextsOfHandlesNeverMade(t *testing.T) {
	together(t, 64, func(i int) error {
		for round := 0; round < 200; round++ {
			threads := 2000 + 1000*i + round
			h, err := marlin.NewHandle(marlin.HandleDesc{Device: marlin.CPU, NumThreads: threads})
			want := fmt.Sprintf("desc.num_threads is %d, expected 0 to 1024", threads)
			if h != nil || !errors.Is(err, marlin.InvalidArgument) || err.Error() != want {
				return fmt.Errorf("got %v, %v, expected %s", h, err, want)
			}
		}
		return nil
	})
}

// Closing waits for calls and makes later ones fail; neither crashes.
func TestClosingWhileOthersMultiply(t *testing.T) {
	for try := 0; try < 20; try++ {
		p := newProblem(2, 64, 16, try, false)
		h := cpuHandle(t, 1)
		w := pack(t, h, p.desc(), p.input())
		together(t, 8, func(i int) error {
			for round := 0; ; round++ {
				if i == 0 && round == 20 && try%2 == 0 {
					return h.Close()
				}
				if i == 0 && round == 20 {
					return w.Close()
				}
				if err := product(h, p, w, i); err != nil {
					if strings.Contains(err.Error(), "closed, expected") {
						return nil
					}
					return err
				}
			}
		})
	}
}
