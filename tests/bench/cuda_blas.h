// cuBLAS, opened at run time where it is installed: the multiply by unpacked weights that ours is compared with.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/types.h"
#include "cuda_memory.h"

namespace marlin::bench {

// C[m, n] = A[m, k] * W[n, k]^T, row-major and tight, FP16 or BF16 with FP32 sums: weights as torch.nn.Linear has them.
struct BlasShape {
    Type type;
    int64_t m;
    int64_t n;
    int64_t k;

    auto operator<=>(const BlasShape &) const = default;
};

struct BlasCandidate {
    std::string name;
    std::function<void(const void *w, const void *a, void *c)> multiply; // enqueues
};

class CuBlas {
public:
    // Nothing where the libraries are not installed.
    static std::unique_ptr<CuBlas> open(const Stream &stream);
    ~CuBlas();
    CuBlas(const CuBlas &) = delete;
    CuBlas &operator=(const CuBlas &) = delete;

    std::string version() const;

    // cublasGemmEx and up to eight algorithms that cublasLt proposes. They must not outlive this.
    std::vector<BlasCandidate> candidates(const BlasShape &shape) const;

private:
    struct Functions;
    explicit CuBlas(const Stream &stream);

    BlasCandidate plain(const BlasShape &shape) const;
    void add_light(std::vector<BlasCandidate> &list, const BlasShape &shape) const;

    std::unique_ptr<Functions> functions_;
    void *handle_ = nullptr;
    void *light_ = nullptr;
    const Stream &stream_;
    DeviceBytes workspace_;
};

} // namespace marlin::bench
