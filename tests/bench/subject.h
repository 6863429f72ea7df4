// The library under measurement, through its public C interface: a handle, packed weights in rotation, a multiply.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/problem.h"
#include "marlin/marlin.h"
#include "timing.h"

namespace marlin::bench {

class Handle {
public:
    Handle(int threads, int32_t isa);
    ~Handle() { marlin_handle_destroy(handle_); }
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;

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

// One problem, ready to run. Weights are packed once and copied.
class Subject {
public:
    Subject(const Handle &handle, const Problem &problem);

    Timing time(int repeats);
    std::string kernel() const { return info_.kernel; }
    int64_t weight_bytes() const { return static_cast<int64_t>(packed_size_); }
    int64_t copies() const { return static_cast<int64_t>(weights_.size()); }
    // max |c - exact| / max |exact| over some outputs of the last run, exact in FP64 on the packed weights.
    double error() const;

private:
    void pack();
    void multiply(int64_t copy);

    const Handle &handle_;
    Problem problem_;
    size_t packed_size_ = 0;
    std::vector<std::unique_ptr<std::byte, FreeBytes>> packed_;
    std::vector<marlin_weights> weights_;
    std::vector<std::byte> a_;
    std::vector<std::byte> bias_;
    std::vector<std::byte> c_;
    marlin_gemm_desc desc_ = {};
    marlin_gemm_info info_ = {};
};

} // namespace marlin::bench
