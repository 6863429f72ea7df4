// Opening OpenBLAS and timing sgemm and sgemv.
#include "openblas.h"

#include <dlfcn.h>
#include <vector>

namespace marlin::bench {
namespace {

// Of the CBLAS interface.
constexpr int kRowMajor = 101;
constexpr int kNoTrans = 111;
constexpr int kTrans = 112;

template <typename Function>
Function symbol(void *library, const char *name) {
    return reinterpret_cast<Function>(dlsym(library, name));
}

} // namespace

std::unique_ptr<OpenBlas> OpenBlas::open(int threads) {
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr)
        return nullptr;
    auto blas = std::make_unique<OpenBlas>();
    blas->gemm_ = symbol<Gemm>(library, "cblas_sgemm");
    blas->gemv_ = symbol<Gemv>(library, "cblas_sgemv");
    const auto set_threads = symbol<void (*)(int)>(library, "openblas_set_num_threads");
    const auto get_threads = symbol<int (*)()>(library, "openblas_get_num_threads");
    const auto get_config = symbol<char *(*)()>(library, "openblas_get_config");
    const auto get_core = symbol<char *(*)()>(library, "openblas_get_corename");
    if (blas->gemm_ == nullptr || blas->gemv_ == nullptr || set_threads == nullptr || get_threads == nullptr ||
        get_config == nullptr || get_core == nullptr)
        return nullptr;
    set_threads(threads);
    blas->threads_ = get_threads();
    blas->config_ = get_config();
    blas->core_ = get_core();
    return blas;
}

PeerTiming OpenBlas::multiply(int64_t m, int64_t n, int64_t k, int repeats) const {
    const auto rows = static_cast<int>(m);
    const auto columns = static_cast<int>(n);
    const auto depth = static_cast<int>(k);
    const int64_t size = n * k;
    const int64_t copies = copies_to_rotate(size * static_cast<int64_t>(sizeof(float)));
    const std::vector<float> weights(static_cast<size_t>(size * copies), 0.5f);
    const std::vector<float> a(static_cast<size_t>(m * k), 0.25f);
    std::vector<float> c(static_cast<size_t>(m * n));
    const auto run = [&](bool n_by_k, int64_t i) {
        const float *w = weights.data() + i % copies * size;
        if (m > 1)
            gemm_(kRowMajor, kNoTrans, n_by_k ? kTrans : kNoTrans, rows, columns, depth, 1.0f, a.data(), depth, w,
                  n_by_k ? depth : columns, 0.0f, c.data(), columns);
        else if (n_by_k)
            gemv_(kRowMajor, kNoTrans, columns, depth, 1.0f, w, depth, a.data(), 1, 0.0f, c.data(), 1);
        else
            gemv_(kRowMajor, kTrans, depth, columns, 1.0f, w, columns, a.data(), 1, 0.0f, c.data(), 1);
    };
    PeerTiming timing;
    timing.n_by_k = measure(repeats, [&](int64_t i) { run(true, i); });
    timing.k_by_n = measure(repeats, [&](int64_t i) { run(false, i); });
    return timing;
}

} // namespace marlin::bench
