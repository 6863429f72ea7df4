// Tests that need a GPU.

package marlin_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"unsafe"

	"libmarlin/marlin"
	"libmarlin/marlin/internal/cuda"
)

// device is a CUDA handle on a stream of its own, with memory that goes when the test ends.
type device struct {
	t      *testing.T
	h      *marlin.Handle
	stream uintptr
}

func (d device) do(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func newDevice(t *testing.T) device {
	t.Helper()
	h, err := marlin.NewHandle(marlin.HandleDesc{Device: marlin.CUDA})
	if errors.Is(err, marlin.NotSupported) {
		t.Skipf("no CUDA device: %v", err)
	}
	d := device{t: t, h: h}
	d.do(err)
	d.do(cuda.Open())
	d.stream, err = cuda.NewStream()
	d.do(err)
	d.do(h.SetStream(d.stream))
	t.Cleanup(func() {
		h.Close()
		d.do(cuda.DestroyStream(d.stream))
	})
	return d
}

func (d device) alloc(size int) uintptr {
	d.t.Helper()
	address, err := cuda.Alloc(size)
	d.do(err)
	d.t.Cleanup(func() { d.do(cuda.Free(address)) })
	return address
}

// put copies a slice to the device.
func put[T marlin.Element](d device, slice []T, kind marlin.Type) marlin.Memory {
	d.t.Helper()
	size := len(slice) * int(unsafe.Sizeof(slice[0]))
	address := d.alloc(size)
	d.do(cuda.Copy(address, slice))
	return marlin.At(address, size, kind)
}

// packAt packs into memory of the device.
func (d device) packAt(desc marlin.PackDesc, input marlin.PackInput) *marlin.Weights {
	d.t.Helper()
	desc.SrcType, desc.SrcScaleType = marlin.S4, marlin.F16
	size, err := d.h.PackSize(desc)
	d.do(err)
	w, err := d.h.PackAt(desc, input, d.alloc(size), size)
	d.do(err)
	d.t.Cleanup(func() { w.Close() })
	return w
}

// product multiplies on the device and compares: the numbers are exact in any order.
func (d device) product(p problem, w *marlin.Weights) {
	d.t.Helper()
	const size = 4
	c := d.alloc(len(p.want) * size)
	bias := put(d, make([]float32, p.n), marlin.F32)
	for _, a := range []marlin.Memory{
		put(d, marlin.Narrow[marlin.Float16](p.a), marlin.F16),
		put(d, marlin.Narrow[marlin.BFloat16](p.a), marlin.BF16),
	} {
		call := d.h.Gemm
		if w.Info().Sparse {
			call = d.h.SpGemm
		}
		d.do(call(marlin.GemmDesc{M: p.m, Bias: bias}, a, w, marlin.At(c, len(p.want)*size, marlin.F32)))
		d.do(cuda.Synchronize(d.stream))
		got := make([]float32, len(p.want))
		d.do(cuda.CopyBack(got, c))
		if i := differs(got, p.want); i >= 0 {
			d.t.Fatalf("m = %d: c[%d] is %v, expected %v", p.m, i, got[i], p.want[i])
		}
	}
}

func TestCUDAMultiply(t *testing.T) {
	d := newDevice(t)
	for _, sparse := range []bool{false, true} {
		for _, m := range []int{1, 16, 100} {
			p := newProblem(m, 256, 128, m, sparse)
			desc := p.desc()
			if sparse {
				desc.Sparsity = marlin.Already24
			}
			d.product(p, d.packAt(desc, p.input())) // from slices
			onDevice := marlin.PackInput{Src: put(d, p.codes, marlin.S4), Scales: put(d, p.scales, marlin.F16)}
			d.product(p, d.packAt(desc, onDevice))
		}
	}
}

func TestCUDAHandleSaysWhatItIs(t *testing.T) {
	d := newDevice(t)
	info, err := d.h.Info()
	d.do(err)
	if info.Device != marlin.CUDA || info.ComputeCapability < 80 || info.SMCount < 1 || info.NumThreads != 0 {
		t.Errorf("got %+v, expected a CUDA handle", info)
	}
	if stream, err := d.h.Stream(); err != nil || stream != d.stream {
		t.Errorf("got stream %#x, %v, expected %#x", stream, err, d.stream)
	}
}

// What a CPU handle packed for the device is attached there, and unpacked.
func TestCUDAAttachAndUnpack(t *testing.T) {
	d := newDevice(t)
	p := newProblem(3, 256, 128, 1, false)
	desc := p.desc()
	desc.Layout = marlin.LayoutDense
	var packed bytes.Buffer
	_, err := pack(t, cpuHandle(t, 0), desc, p.input()).WriteTo(&packed)
	d.do(err)
	address := d.alloc(packed.Len())
	d.do(cuda.Copy(address, packed.Bytes()))
	w, err := d.h.AttachAt(address, packed.Len())
	d.do(err)
	defer w.Close()
	d.product(p, w)
	dst := d.alloc(len(p.codes))
	d.do(d.h.Unpack(w, marlin.UnpackDesc{Dst: marlin.At(dst, len(p.codes), marlin.S4)}))
	codes := make([]int8, len(p.codes))
	d.do(cuda.CopyBack(codes, dst))
	for i := range codes {
		if codes[i] != p.codes[i] {
			t.Fatalf("code %d is %d, expected %d", i, codes[i], p.codes[i])
		}
	}
	if _, err := w.WriteTo(&packed); !errors.Is(err, marlin.NotSupported) {
		t.Errorf("writing device memory: got %v, expected NotSupported", err)
	}
}

func TestCUDARefusesSlices(t *testing.T) {
	d := newDevice(t)
	p := newProblem(1, 64, 64, 0, false)
	w := d.packAt(p.desc(), p.input())
	a, c := make([]marlin.Float16, p.k), make([]float32, p.n)
	one := marlin.GemmDesc{M: 1}
	if err := d.h.Gemm(one, marlin.Host(a), w, marlin.Host(c)); !errors.Is(err, marlin.InvalidArgument) {
		t.Errorf("multiply: got %v, expected InvalidArgument", err)
	}
	if _, err := d.h.Pack(p.desc(), p.input()); !errors.Is(err, marlin.InvalidArgument) {
		t.Errorf("pack: got %v, expected InvalidArgument", err)
	}
	ofCPU := pack(t, cpuHandle(t, 1), p.desc(), p.input())
	if err := d.h.Gemm(one, marlin.Host(a), ofCPU, marlin.Host(c)); !errors.Is(err, marlin.InvalidArgument) {
		t.Errorf("weights of the CPU: got %v, expected InvalidArgument", err)
	}
}

func TestCUDAGoroutines(t *testing.T) {
	const goroutines = 8
	devices := make([]device, goroutines)
	for i := range devices {
		devices[i] = newDevice(t)
	}
	problems, weights := make([]problem, goroutines), make([]*marlin.Weights, goroutines)
	inputs, results := make([]marlin.Memory, goroutines), make([]uintptr, goroutines)
	for i, d := range devices {
		problems[i] = newProblem(1+i, 256, 128, i, false)
		weights[i] = d.packAt(problems[i].desc(), problems[i].input())
		inputs[i] = put(d, marlin.Narrow[marlin.Float16](problems[i].a), marlin.F16)
		results[i] = d.alloc(4 * len(problems[i].want))
	}
	together(t, goroutines, func(i int) error {
		p, d := problems[i], devices[i]
		c := marlin.At(results[i], 4*len(p.want), marlin.F32)
		for round := 0; round < 50; round++ {
			if err := d.h.Gemm(marlin.GemmDesc{M: p.m}, inputs[i], weights[i], c); err != nil {
				return err
			}
		}
		got := make([]float32, len(p.want))
		if err := cuda.Synchronize(d.stream); err != nil {
			return err
		}
		if err := cuda.CopyBack(got, results[i]); err != nil {
			return err
		}
		if at := differs(got, p.want); at >= 0 {
			return fmt.Errorf("c[%d] is %v, expected %v", at, got[at], p.want[at])
		}
		return nil
	})
}
