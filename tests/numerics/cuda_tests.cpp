// The dense CUDA kernels against the FP64 oracle.
#include <algorithm>

#include <fmt/format.h>

#include "cuda/kernel/instance.h"
#include "numerics/cases.h"
#include "numerics/cuda_checks.h"
#include "numerics/cuda_run.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::test;

namespace {

const char *const kRests[] = {"s4 g128 m37 n333 k1300",    "s4 g128 m37 n333 k1300 sbf16", "u4 g64 m21 n200 k700",
                              "u4 g64 m21 n200 k700 zf32", "u4 g128 m40 n264 k900 zf16",   "u4 g32 m70 n264 k2000",
                              "s4 gcol m5 n100 k500",      "s4 g64 m21 n200 k1220",        "s4 g32 m37 n264 k1500",
                              "u4 g32 m9 n264 k700 zf16"};
// For kernels whose CTAs share what they read of A: whole tiles of tokens and a ragged one, an odd number of columns.
const char *const kManyTokens[] = {"s4 g128 m520 n333 k700 bias", "s4 g128 m257 n600 k520"};

} // namespace

TEST_CASE("Every format multiplies right in the CUDA kernel chosen for it", "[gpu]") {
    const auto backend = cuda_backend();
    check_all(*backend, all_formats(false));
}

TEST_CASE("Every number of rows and ragged sizes multiply right on CUDA", "[gpu]") {
    const auto backend = cuda_backend();
    check_all(*backend, all_sizes(false));
    std::vector<Problem> many;
    for (const char *text :
         {"gemm f16 s4 g128 m33 n300 k1000", "gemm f16 s4 g128 m64 n1000 k2056 bias",
          "gemm bf16 s4 g128 m65 n512 k520 sbf16", "gemm f16 u4 g64 m129 n270 k4096",
          "gemm bf16 u4 g32 m200 n64 k3000 zf16", "gemm f16 s4 gcol m300 n130 k777", "gemm f16 s4 g128 m257 n300 k2304",
          "gemm bf16 u4 g128 m100 n257 k640 perm", "gemm f16 s4 g128 m17 n513 k4096 lda4103"})
        many.push_back(from_text(text));
    check_all(*backend, many);
}

TEST_CASE("Problems drawn from all fields at once multiply right on CUDA", "[gpu]") {
    const auto backend = cuda_backend();
    check_all(*backend, drawn(false, 150, 21));
}

TEST_CASE("Every dense CUDA kernel of the Ampere class multiplies what it can run right", "[gpu][reduced]") {
    const auto backend = cuda_backend();
    // A GPU with less shared memory than an H200 cannot run them all.
    CHECK(check_every_kernel(*backend, "sm80_", "gemm", kRests) > 10);
}

TEST_CASE("Every CUDA kernel of Hopper's own multiplies what it can run right", "[gpu][reduced][hopper]") {
    const auto backend = cuda_backend();
    const auto count = [](const auto &condition) {
        const auto instances = cuda::instances();
        return std::count_if(instances.begin(), instances.end(), [&](const cuda::Instance *instance) {
            return instance->family == cuda::Family::Wgmma && condition(*instance);
        });
    };
    const auto pairs = count([](const cuda::Instance &instance) { return instance.beside > 1; });
    const auto others = count([](const cuda::Instance &instance) { return instance.beside == 1; });
    const bool hopper = backend->info().compute_capability == 90;
    CHECK(check_every_kernel(*backend, "sm90_", "gemm", kRests) == (hopper ? others : 0));
    int ran = 0;
    for (const char *names : {"sm90_w4a16_wgmma_f16_group128_256_", "sm90_w4a16_wgmma_bf16_group128_256_"})
        ran += check_every_kernel(*backend, names, "gemm", kManyTokens);
    CHECK(pairs > 0);
    CHECK((hopper ? ran >= pairs : ran == 0));
}

TEST_CASE("A row's bits do not depend on the batch when CUDA is told so", "[gpu]") {
    const auto backend = cuda_backend();
    backend->set_option(Option::Math, static_cast<int64_t>(Math::BatchInvariant));
    for (const char *text : {"gemm f16 s4 g128 m257 n400 k2048", "gemm bf16 u4 g64 m150 n400 k2048",
                             "gemm f16 u4 g128 m150 n400 k2048 zf16", "gemm f16 u4 g32 m150 n400 k2048",
                             "gemm f16 s4 g32 m150 n400 k2048", "gemm bf16 s4 g64 m150 n400 k2048"}) {
        const Problem problem = from_text(text);
        check_rows_alone(*backend, problem);
        check_every_batch(*backend, problem);
    }
}

TEST_CASE("A thousand CUDA multiplies give the same bits", "[gpu]") {
    const auto backend = cuda_backend();
    for (const char *text : {"gemm f16 s4 g128 m7 n512 k2048", "gemm f16 s4 g128 m130 n512 k4096"})
        check_runs(*backend, from_text(text));
}

// Scales of columns are brought by each group in k for itself, at the beginning of every tile: some lag behind then.
TEST_CASE("Groups in k of Hopper's kernels may lag behind each other", "[gpu]") {
    const auto backend = cuda_backend();
    if (backend->info().compute_capability != 90)
        return;
    int ran = 0;
    for (const cuda::Instance *instance : cuda::instances()) {
        const bool offsets = instance->weights == cuda::Weights::Offsets128;
        if (instance->family != cuda::Family::Wgmma || instance->turns < 2 ||
            (instance->weights != cuda::Weights::Rows128 && !offsets))
            continue;
        INFO(instance->name);
        backend->set_option(Option::Kernel, instance->number);
        check_runs(*backend,
                   from_text(fmt::format("gemm {} u4 gcol m1024 n2048 k4096{}", to_string(instance->a_type),
                                         offsets ? " zf16" : "")),
                   50);
        ++ran;
    }
    CHECK(ran > 10);
}

TEST_CASE("Multiplies that begin beside the kernel before them on CUDA wait for what it writes",
          "[gpu][reduced][beside]") {
    const auto backend = cuda_backend();
    for (const char *text : {"gemm f16 s4 g128 m1 n2048 k2048 bias", "gemm f16 s4 g128 m12 n2048 k2048 bias",
                             "gemm bf16 u4 g64 m8 n2048 k2048 bias", "gemm f16 s4 g128 m64 n2048 k2048 bias",
                             "gemm f16 s4 gcol m300 n2048 k2048 bias", "gemm f16 s4 g128 m1 n2048 k2048 perm bias",
                             "gemm f16 s4 g128 m20 n2048 k2048 perm bias", "sp_gemm f16 s4 g128 m4 n2048 k2048 bias",
                             "sp_gemm f16 s4 g128 m200 n2048 k2048 bias"})
        check_dependent_launches(*backend, from_text(text));
    if (backend->info().compute_capability != 90)
        return;
    // Clusters of CTAs beside each other would not be chosen for so little.
    for (const cuda::Instance *instance : cuda::instances())
        if (instance->beside > 1) {
            INFO(instance->name);
            backend->set_option(Option::Kernel, instance->number);
            check_dependent_launches(
                *backend, from_text(fmt::format("gemm {} s4 g128 m300 n1024 k1024 bias", to_string(instance->a_type))));
        }
}
