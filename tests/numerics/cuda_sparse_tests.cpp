// The CUDA kernels for 2:4 weights against the FP64 oracle, which skips pruned positions.
#include <cmath>
#include <limits>

#include "common/error.h"
#include "layout/element.h"
#include "numerics/cases.h"
#include "numerics/cuda_checks.h"
#include "numerics/cuda_run.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::test;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

// Every type, kind of zero point and group that a kernel may treat apart, at sizes with a tail everywhere.
const char *const kFew[] = {"s4 g128 m7 n333 k1300",     "s4 g128 m37 n100 k500 sbf16", "s4 g128 m21 n200 k700 sf16",
                            "u4 g64 m21 n200 k700 zf32", "u4 g32 m35 n264 k2000",       "s4 gcol m5 n100 k500"};

} // namespace

TEST_CASE("Every 2:4 format multiplies right in the CUDA kernel chosen for it", "[gpu]") {
    const auto backend = cuda_backend();
    check_all(*backend, all_formats(true));
}

TEST_CASE("Every number of rows and ragged sizes multiply right with 2:4 weights on CUDA", "[gpu]") {
    const auto backend = cuda_backend();
    check_all(*backend, all_sizes(true));
    std::vector<Problem> more;
    for (const char *text : {"sp_gemm f16 s4 g128 m33 n300 k1000", "sp_gemm f16 s4 g128 m64 n1000 k2056 bias",
                             "sp_gemm bf16 s4 g128 m65 n512 k520 sbf16", "sp_gemm f16 u4 g64 m129 n270 k4096",
                             "sp_gemm bf16 u4 g32 m200 n64 k3000 zf16", "sp_gemm f16 s4 gcol m300 n130 k777",
                             "sp_gemm bf16 u4 g128 m100 n257 k640 perm", "sp_gemm f16 s4 g128 m17 n513 k4096 lda4103",
                             // Several passes of a slab.
                             "sp_gemm f16 s4 g128 m3 n12345 k256", "sp_gemm bf16 u4 g64 m16 n20000 k300 bias",
                             "sp_gemm f16 u4 gcol m31 n17000 k384 zbf16"})
        more.push_back(from_text(text));
    check_all(*backend, more);
}

TEST_CASE("2:4 problems drawn from all fields at once multiply right on CUDA", "[gpu]") {
    const auto backend = cuda_backend();
    check_all(*backend, drawn(true, 150, 31));
}

TEST_CASE("Extreme 2:4 operands multiply right on CUDA", "[gpu]") {
    const auto backend = cuda_backend();
    uint64_t seed = 41;
    for (const char *a_type : {"f16", "bf16"})
        for (const char *rest : kFew)
            CHECK(check_on_device(*backend, from_text(fmt::format("sp_gemm {} {}", a_type, rest)), Fill::Extreme,
                                  ++seed) == "");
}

TEST_CASE("Every CUDA kernel for 2:4 weights multiplies what it can run right", "[gpu][reduced]") {
    const auto backend = cuda_backend();
    // A GPU with less shared memory than an H200 cannot run them all.
    CHECK(check_every_kernel(*backend, "sm80_", "sp_gemm", kFew) > 4);
}

TEST_CASE("On CUDA a NaN or an infinity reaches a column only where that column keeps its position", "[gpu]") {
    const auto backend = cuda_backend();
    for (const char *text : {"sp_gemm f16 s4 g128 m9 n130 k300", "sp_gemm bf16 s4 g128 m9 n130 k300 sbf16",
                             "sp_gemm f16 u4 g32 m9 n130 k300", "sp_gemm bf16 s4 gcol m40 n130 k300",
                             "sp_gemm f16 u4 g64 m9 n130 k300 zf16"}) {
        const Problem problem = from_text(text);
        const Weights weights = make_weights(problem, Layout::Sparse24Draft, Fill::Random, 81);
        for (const float value : {kNan, kInf, -kInf}) {
            Operands operands(problem, Fill::Random, 82);
            const int64_t bad_k = 141;
            const int64_t clean_row = 4;
            for (int64_t m = 0; m < problem.m; ++m)
                if (m != clean_row)
                    store_value(operands.row_of_a(m) + bad_k * size_of(problem.a_type), problem.a_type, value);
            OnDevice device(problem, operands, weights);
            backend->gemm(problem, device.get, device.view);
            device.fetch_c(operands);
            INFO(text << ", value " << value);
            int wrong = 0;
            for (int64_t n = 0; n < problem.n; ++n)
                for (int64_t m = 0; m < problem.m; ++m) {
                    const bool reached = m != clean_row && !read_element(weights.view, bad_k, n).pruned;
                    wrong += std::isfinite(operands.c(m, n)) == reached ? 1 : 0;
                }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("With 2:4 weights a row's bits do not depend on the batch when CUDA is told so", "[gpu]") {
    const auto backend = cuda_backend();
    backend->set_option(Option::Math, static_cast<int64_t>(Math::BatchInvariant));
    for (const char *text : {"sp_gemm f16 s4 g128 m70 n400 k2048", "sp_gemm bf16 u4 g32 m70 n400 k2048"})
        check_rows_alone(*backend, from_text(text));
}

TEST_CASE("A thousand CUDA multiplies by 2:4 weights give the same bits", "[gpu]") {
    const auto backend = cuda_backend();
    for (const char *text : {"sp_gemm f16 s4 g128 m7 n512 k2048", "sp_gemm bf16 u4 g64 m130 n512 k4096"})
        check_runs(*backend, from_text(text));
}
