// OpenBLAS in FP32, opened at run time where it is installed: what the multiplies are compared with.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "timing.h"

namespace marlin::bench {

// The same multiply with weights stored n x k (as torch.nn.Linear has them) and k x n.
struct PeerTiming {
    Timing n_by_k;
    Timing k_by_n;

    bool measured() const { return n_by_k.repeats != 0; }
    const Timing &quicker() const { return n_by_k.median_us <= k_by_n.median_us ? n_by_k : k_by_n; }
};

class OpenBlas {
public:
    // Nothing where the library is not installed.
    static std::unique_ptr<OpenBlas> open(int threads);

    std::string config() const { return config_; } // version and build
    std::string core() const { return core_; }     // kernel set
    int threads() const { return threads_; }

    // sgemm, or sgemv where m is 1; weights rotated.
    PeerTiming multiply(int64_t m, int64_t n, int64_t k, int repeats) const;

private:
    using Gemm = void (*)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *,
                          int);
    using Gemv = void (*)(int, int, int, int, float, const float *, int, const float *, int, float, float *, int);

    Gemm gemm_ = nullptr;
    Gemv gemv_ = nullptr;
    std::string config_;
    std::string core_;
    int threads_ = 0;
};

} // namespace marlin::bench
