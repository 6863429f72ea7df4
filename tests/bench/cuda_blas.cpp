// Opening libcublas and libcublasLt, and calling them.
#include "cuda_blas.h"

#include <dlfcn.h>
#include <initializer_list>
#include <library_types.h>
#include <type_traits>

namespace marlin::bench {
namespace {

// Of cublas_api.h and cublasLt.h (CUDA 12 and 13 agree on all of these).
constexpr int kOpN = 0;
constexpr int kOpT = 1;
constexpr int kCompute32F = 68;
constexpr int kDefaultAlgorithm = -1;
constexpr int kDescTransA = 3;
constexpr int kPreferenceWorkspace = 1;

struct LtAlgorithm {
    uint64_t data[8];
};
struct LtHeuristic {
    LtAlgorithm algorithm;
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
};

constexpr int kProposals = 8;
constexpr int64_t kWorkspace = int64_t{64} << 20;
constexpr float kOne = 1.0f;
constexpr float kZero = 0.0f;

void *open_library(std::initializer_list<const char *> names) {
    for (const char *name : names)
        if (void *library = dlopen(name, RTLD_NOW | RTLD_GLOBAL))
            return library;
    return nullptr;
}

void check_blas(int status, const char *call) {
    if (status != 0)
        fail(Status::DeviceError, "{} returned status {}, expected 0", call, status);
}

cudaDataType_t data_type(Type type) {
    return type == Type::BF16 ? CUDA_R_16BF : CUDA_R_16F;
}

} // namespace

struct CuBlas::Functions {
    int (*create)(void **);
    int (*destroy)(void *);
    int (*set_stream)(void *, cudaStream_t);
    int (*set_workspace)(void *, void *, size_t);
    int (*gemm)(void *, int, int, int, int, int, const void *, const void *, cudaDataType_t, int, const void *,
                cudaDataType_t, int, const void *, void *, cudaDataType_t, int, int, int);
    int (*lt_create)(void **);
    int (*lt_destroy)(void *);
    size_t (*lt_version)();
    int (*desc_create)(void **, int, cudaDataType_t);
    int (*desc_set)(void *, int, const void *, size_t);
    int (*desc_destroy)(void *);
    int (*layout_create)(void **, cudaDataType_t, uint64_t, uint64_t, int64_t);
    int (*layout_destroy)(void *);
    int (*preference_create)(void **);
    int (*preference_set)(void *, int, const void *, size_t);
    int (*preference_destroy)(void *);
    int (*heuristics)(void *, void *, void *, void *, void *, void *, void *, int, LtHeuristic *, int *);
    int (*matmul)(void *, void *, const void *, const void *, void *, const void *, void *, const void *, const void *,
                  void *, void *, void *, const LtAlgorithm *, void *, size_t, cudaStream_t);

    bool load(void *blas, void *light) {
        bool whole = true;
        const auto bind = [&](void *library, const char *name, auto &function) {
            function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
            whole = whole && function != nullptr;
        };
        bind(blas, "cublasCreate_v2", create);
        bind(blas, "cublasDestroy_v2", destroy);
        bind(blas, "cublasSetStream_v2", set_stream);
        bind(blas, "cublasSetWorkspace_v2", set_workspace);
        bind(blas, "cublasGemmEx", gemm);
        bind(light, "cublasLtCreate", lt_create);
        bind(light, "cublasLtDestroy", lt_destroy);
        bind(light, "cublasLtGetVersion", lt_version);
        bind(light, "cublasLtMatmulDescCreate", desc_create);
        bind(light, "cublasLtMatmulDescSetAttribute", desc_set);
        bind(light, "cublasLtMatmulDescDestroy", desc_destroy);
        bind(light, "cublasLtMatrixLayoutCreate", layout_create);
        bind(light, "cublasLtMatrixLayoutDestroy", layout_destroy);
        bind(light, "cublasLtMatmulPreferenceCreate", preference_create);
        bind(light, "cublasLtMatmulPreferenceSetAttribute", preference_set);
        bind(light, "cublasLtMatmulPreferenceDestroy", preference_destroy);
        bind(light, "cublasLtMatmulAlgoGetHeuristic", heuristics);
        bind(light, "cublasLtMatmul", matmul);
        return whole;
    }
};

CuBlas::CuBlas(const Stream &stream) : functions_(std::make_unique<Functions>()), stream_(stream) {}

std::unique_ptr<CuBlas> CuBlas::open(const Stream &stream) {
    void *light = open_library({"libcublasLt.so.13", "libcublasLt.so.12"});
    void *blas = open_library({"libcublas.so.13", "libcublas.so.12"});
    std::unique_ptr<CuBlas> result(new CuBlas(stream));
    if (blas == nullptr || light == nullptr || !result->functions_->load(blas, light))
        return nullptr;
    const Functions &f = *result->functions_;
    result->workspace_ = DeviceBytes(kWorkspace);
    check_blas(f.create(&result->handle_), "cublasCreate");
    check_blas(f.set_stream(result->handle_, stream.get()), "cublasSetStream");
    check_blas(f.set_workspace(result->handle_, result->workspace_.data(), kWorkspace), "cublasSetWorkspace");
    check_blas(f.lt_create(&result->light_), "cublasLtCreate");
    return result;
}

CuBlas::~CuBlas() {
    if (handle_ != nullptr)
        functions_->destroy(handle_);
    if (light_ != nullptr)
        functions_->lt_destroy(light_);
}

std::string CuBlas::version() const {
    const size_t version = functions_->lt_version(); // 130000 for 13.0.0
    return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

std::vector<BlasCandidate> CuBlas::candidates(const BlasShape &shape) const {
    std::vector<BlasCandidate> list = {plain(shape)};
    add_light(list, shape);
    return list;
}

// Column-major, as cuBLAS sees it, this is C^T[n, m] = W[n, k] * A^T[k, m].
BlasCandidate CuBlas::plain(const BlasShape &shape) const {
    return {"cublasGemmEx", [this, shape](const void *w, const void *a, void *c) {
                const cudaDataType_t type = data_type(shape.type);
                const auto m = static_cast<int>(shape.m);
                const auto n = static_cast<int>(shape.n);
                const auto k = static_cast<int>(shape.k);
                check_blas(functions_->gemm(handle_, kOpT, kOpN, n, m, k, &kOne, w, type, k, a, type, k, &kZero, c,
                                            type, n, kCompute32F, kDefaultAlgorithm),
                           "cublasGemmEx");
            }};
}

void CuBlas::add_light(std::vector<BlasCandidate> &list, const BlasShape &shape) const {
    const Functions &f = *functions_;
    const cudaDataType_t type = data_type(shape.type);
    const auto m = static_cast<uint64_t>(shape.m);
    const auto n = static_cast<uint64_t>(shape.n);
    const auto k = static_cast<uint64_t>(shape.k);
    const auto made = [](auto create, auto destroy, const char *name, auto... arguments) {
        void *object = nullptr;
        check_blas(create(&object, arguments...), name);
        return std::shared_ptr<void>(object, destroy);
    };
    const auto layout = [&](uint64_t rows, uint64_t columns) {
        return made(f.layout_create, f.layout_destroy, "cublasLtMatrixLayoutCreate", type, rows, columns,
                    static_cast<int64_t>(rows));
    };
    const auto desc = made(f.desc_create, f.desc_destroy, "cublasLtMatmulDescCreate", kCompute32F, CUDA_R_32F);
    check_blas(f.desc_set(desc.get(), kDescTransA, &kOpT, sizeof kOpT), "cublasLtMatmulDescSetAttribute");
    const auto w_layout = layout(k, n);
    const auto a_layout = layout(k, m);
    const auto c_layout = layout(n, m);
    const auto preference = made(f.preference_create, f.preference_destroy, "cublasLtMatmulPreferenceCreate");
    const uint64_t workspace = kWorkspace;
    check_blas(f.preference_set(preference.get(), kPreferenceWorkspace, &workspace, sizeof workspace),
               "cublasLtMatmulPreferenceSetAttribute");

    LtHeuristic found[kProposals] = {};
    int count = 0;
    if (f.heuristics(light_, desc.get(), w_layout.get(), a_layout.get(), c_layout.get(), c_layout.get(),
                     preference.get(), kProposals, found, &count) != 0)
        return; // it has no proposal; cublasGemmEx remains
    for (int i = 0; i < count; ++i) {
        if (found[i].state != 0)
            continue;
        list.push_back(
            {fmt::format("cublasLt {}", i), [=, this, proposal = found[i]](const void *w, const void *a, void *c) {
                 check_blas(functions_->matmul(light_, desc.get(), &kOne, w, w_layout.get(), a, a_layout.get(), &kZero,
                                               c, c_layout.get(), c, c_layout.get(), &proposal.algorithm,
                                               workspace_.data(), proposal.workspace, stream_.get()),
                            "cublasLtMatmul");
             }});
    }
}

} // namespace marlin::bench
