// The library on a GPU, through its public C interface: a handle, packed weights in rotation, a multiply.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/problem.h"
#include "cpu_subject.h"
#include "cuda_device.h"
#include "cuda_memory.h"
#include "exact.h"
#include "layout/header.h"
#include "marlin/marlin.h"

namespace marlin::bench {

class CudaHandle {
public:
    CudaHandle(const GpuDevice &device, const Stream &stream, int64_t kernel, bool invariant);
    ~CudaHandle() { marlin_handle_destroy(handle_); }
    CudaHandle(const CudaHandle &) = delete;
    CudaHandle &operator=(const CudaHandle &) = delete;

    marlin_handle_t get() const { return handle_; }

private:
    marlin_handle_t handle_ = nullptr;
};

// As long as it lives, an option of the handle has that value, and afterwards 0 again: what every option has by
// default.
class OptionSet {
public:
    OptionSet(const CudaHandle &handle, marlin_option option, int64_t value);
    ~OptionSet();
    OptionSet(const OptionSet &) = delete;
    OptionSet &operator=(const OptionSet &) = delete;

private:
    const CudaHandle &handle_;
    marlin_option option_;
};

// Packed weights of one kind and shape, copied as often as the rotation needs. Packed by a CPU handle with all threads,
// whose bytes are the same, so that the host has them for the error check.
class CudaWeights {
public:
    CudaWeights(const GpuDevice &device, const CudaHandle &handle, const CpuHandle &packer, const Problem &problem);

    // Whether these are the weights of that problem: all but m, activations and bias.
    bool fit(const Problem &problem) const;
    int64_t copies() const { return static_cast<int64_t>(weights_.size()); }
    int64_t bytes() const { return bytes_; }
    const std::byte *data(int64_t copy) const { return packed_[static_cast<size_t>(copy)].data(); }
    const marlin_weights &operator[](int64_t copy) const { return weights_[static_cast<size_t>(copy)]; }
    const WeightsView &on_host() const { return view_; }

private:
    Problem problem_;
    int64_t bytes_ = 0;
    PackedBytes host_;
    WeightsView view_;
    std::vector<DeviceBytes> packed_;
    std::vector<marlin_weights> weights_;
};

// One multiply: activations and output for a problem.
class CudaSubject {
public:
    CudaSubject(const CudaHandle &handle, const Stream &stream, const CudaWeights &weights, const Problem &problem);

    std::string kernel() const { return info_.kernel; }
    std::vector<int64_t> other_kernels() const; // numbers of those that could run it, where the choice is the handle's
    void multiply(int64_t copy) const;          // enqueues
    void poison();                              // fills the output with NaNs
    double error() const;                       // of what was multiplied since, see exact.h; infinity if a NaN is left

private:
    bool any_nan() const;

    const CudaHandle &handle_;
    const Stream &stream_;
    const CudaWeights &weights_;
    Problem problem_;
    DeviceBytes a_;
    DeviceBytes c_;
    DeviceBytes bias_;
    marlin_gemm_desc desc_ = {};
    marlin_gemm_info info_ = {};
};

} // namespace marlin::bench
