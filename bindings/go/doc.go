// Package marlin multiplies activations by 4-bit weights: C[m, n] = A[m, k] * W[k, n] + bias, on the CPU or on an
// NVIDIA GPU, by libmarlin.
//
// A program makes a [Handle], packs its weights once, and multiplies as often as it likes:
//
//	NewHandle -> Handle.Pack -> Handle.Gemm ... -> Weights.Close, Handle.Close
//
// The header marlin.h is the manual of all of it. This package converts, owns and names, and decides nothing: fields of
// descriptions carry the header's names and meanings, and zero is the default that the header documents.
//
// # Memory
//
// Inputs and results are [Memory]: [Host] describes a Go slice, whose element type says what it holds, and [At] memory
// that a number is the address of, such as a GPU's. The library keeps no Go memory after a call; what it does keep (a
// workspace, packed bytes that [Handle.AttachAt] was given) is said by address and owned by the caller.
//
// A multiply on a CUDA handle only enqueues: its memory must stay until the stream has done it.
//
// # Errors
//
// Every error of a call is an [*Error] with the library's own sentence, and unwraps to its [Status]:
//
//	errors.Is(err, marlin.NotSupported)
//
// # Goroutines
//
// Any goroutine may use any handle; the calls of one handle wait for each other. Handles of their own run at the same
// time. Packed weights are never changed by a multiply and may be shared by all handles of a device.
package marlin
