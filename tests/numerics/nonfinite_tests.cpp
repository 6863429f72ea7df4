// Infinities and NaN: they stay in their row, and at pruned positions they do not count.
#include <cmath>
#include <limits>

#include "layout/element.h"
#include "numerics/run.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::test;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

Layout layout_of(const Problem &problem) {
    return problem.sparse ? Layout::CpuSparse24Draft : Layout::CpuDraft;
}

constexpr const char *kProblems[] = {"gemm f16 s4 g128 m11 n70 k300",      "gemm bf16 u4 g32 m11 n70 k300",
                                     "gemm f32 u4 gcol m11 n70 k300 zf16", "sp_gemm f16 s4 g128 m11 n70 k300",
                                     "sp_gemm bf16 u4 g64 m11 n70 k300",   "sp_gemm f32 s4 gcol m11 n70 k300"};

} // namespace

TEST_CASE("A value that is not finite changes no other row") {
    for (const char *text : kProblems) {
        const Problem problem = problem_from_text(text);
        const Weights weights = make_weights(problem, layout_of(problem), Fill::Random, 61);
        for (const int64_t isa : isas_here()) {
            const std::unique_ptr<Backend> backend = make_backend(isa);
            Operands operands(problem, Fill::Random, 62);
            backend->gemm(problem, operands.get(), weights.view);
            std::vector<std::vector<std::byte>> clean;
            for (int64_t m = 0; m < problem.m; ++m)
                clean.push_back(operands.row_of_c(m));
            for (const float value : {kNan, kInf, -kInf}) {
                const int64_t bad_row = 4;
                for (int64_t k : {int64_t{0}, int64_t{131}, problem.k - 1})
                    store_value(operands.row_of_a(bad_row) + k * size_of(problem.a_type), problem.a_type, value);
                operands.poison_c();
                backend->gemm(problem, operands.get(), weights.view);
                INFO(text << " # isa " << isa << ", value " << value);
                for (int64_t m = 0; m < problem.m; ++m)
                    if (m != bad_row)
                        CHECK(operands.row_of_c(m) == clean[static_cast<size_t>(m)]);
                if (std::isnan(value) && !problem.sparse)
                    for (int64_t n = 0; n < problem.n; ++n)
                        CHECK(std::isnan(operands.c(bad_row, n)));
            }
        }
    }
}

TEST_CASE("Infinity times symmetric weights is what FP64 says") {
    for (const char *text :
         {"gemm f16 s4 g128 m3 n130 k300", "gemm bf16 s4 g32 m3 n130 k300", "gemm f32 s4 g64 m3 n130 k300",
          "sp_gemm f16 s4 g128 m3 n130 k300", "sp_gemm f32 s4 g32 m3 n130 k300"}) {
        const Problem problem = problem_from_text(text);
        const Weights weights = make_weights(problem, layout_of(problem), Fill::Random, 71);
        const Oracle oracle(problem, weights.view);
        for (const int64_t isa : isas_here()) {
            const std::unique_ptr<Backend> backend = make_backend(isa);
            Operands operands(problem, Fill::Random, 72);
            store_value(operands.row_of_a(1) + 77 * size_of(problem.a_type), problem.a_type, kInf);
            store_value(operands.row_of_a(2) + 78 * size_of(problem.a_type), problem.a_type, -kInf);
            backend->gemm(problem, operands.get(), weights.view);
            INFO(text << " # isa " << isa);
            for (int64_t m = 0; m < problem.m; ++m) {
                const std::vector<Expected> expected = oracle.row(operands.row_of_a(m), nullptr);
                for (int64_t n = 0; n < problem.n; ++n)
                    CHECK(close(operands.c(m, n), expected[static_cast<size_t>(n)], problem.c_type));
            }
        }
    }
}

TEST_CASE("A NaN at a position that a column has pruned does not reach that column") {
    for (const char *text :
         {"sp_gemm f16 s4 g128 m9 n130 k300", "sp_gemm bf16 s4 g32 m9 n130 k300", "sp_gemm f32 s4 gcol m9 n130 k300"}) {
        const Problem problem = problem_from_text(text);
        const Weights weights = make_weights(problem, layout_of(problem), Fill::Random, 81);
        for (const int64_t isa : isas_here()) {
            const std::unique_ptr<Backend> backend = make_backend(isa);
            Operands operands(problem, Fill::Random, 82);
            const int64_t bad_k = 141;
            for (int64_t m = 0; m < problem.m; ++m)
                store_value(operands.row_of_a(m) + bad_k * size_of(problem.a_type), problem.a_type, kNan);
            backend->gemm(problem, operands.get(), weights.view);
            INFO(text << " # isa " << isa);
            for (int64_t n = 0; n < problem.n; ++n)
                for (int64_t m = 0; m < problem.m; ++m)
                    CHECK(std::isnan(operands.c(m, n)) == !read_element(weights.view, bad_k, n).pruned);
        }
    }
}
