// The library on the CPU, through its public C interface: a handle, packed weights in rotation, a multiply.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/problem.h"
#include "marlin/marlin.h"
#include "timing.h"

namespace marlin::bench {

class CpuHandle {
public:
    CpuHandle(int threads, int32_t isa, int64_t kernel);
    ~CpuHandle() { marlin_handle_destroy(handle_); }
    CpuHandle(const CpuHandle &) = delete;
    CpuHandle &operator=(const CpuHandle &) = delete;

    marlin_handle_t get() const { return handle_; }
    int threads() const { return info_.num_threads; }
    std::string isa() const { return info_.name; }

private:
    marlin_handle_t handle_ = nullptr;
    marlin_handle_info info_ = {};
};

struct FreeBytes {
    void operator()(std::byte *bytes) const;
};
using PackedBytes = std::unique_ptr<std::byte, FreeBytes>;
PackedBytes allocate_packed(size_t size); // aligned as marlin_pack wants it

// One problem, ready to run. Weights are packed once and copied.
class CpuSubject {
public:
    CpuSubject(const CpuHandle &handle, const Problem &problem);

    Timing time(int repeats);
    std::string kernel() const { return info_.kernel; }
    int64_t weight_bytes() const { return static_cast<int64_t>(packed_size_); }
    int64_t copies() const { return static_cast<int64_t>(weights_.size()); }
    double error() const; // of the last run, see exact.h

private:
    void pack();
    void multiply(int64_t copy);

    const CpuHandle &handle_;
    Problem problem_;
    size_t packed_size_ = 0;
    std::vector<PackedBytes> packed_;
    std::vector<marlin_weights> weights_;
    std::vector<std::byte> a_;
    std::vector<std::byte> bias_;
    std::vector<std::byte> c_;
    marlin_gemm_desc desc_ = {};
    marlin_gemm_info info_ = {};
};

} // namespace marlin::bench
