// The choice of CUDA kernels for 2:4 weights.
#include "unit/cuda_made_up.h"

using namespace marlin;
using namespace marlin::cuda;
using namespace marlin::test;

namespace {

Instance slab(int32_t number, int32_t tokens, int32_t row_groups, int32_t shared_size,
              Weights weights = Weights::Group128, int32_t threads = 256) {
    return made_up_slab(Family::SparseSlab, number, tokens, row_groups, shared_size, weights, threads);
}
Instance stripe(int32_t number, int32_t tokens, int32_t features, int32_t k_groups) {
    return made_up_stripe(Family::SparseStripe, number, tokens, features, k_groups, 170000);
}

const MadeUpKernels kKernels({
    made_up_slab(Family::Slab, 101, 8, 2, 90000),
    slab(102, 8, 2, 150000),
    slab(103, 8, 4, 200000),
    slab(104, 16, 2, 180000),
    slab(105, 16, 4, 220000),
    slab(106, 32, 2, 160000),
    slab(107, 32, 4, 190000),
    slab(109, 32, 4, 80000, Weights::General, 96),
    slab(110, 32, 4, 160000, Weights::General, 192),
    slab(111, 8, 4, 120000, Weights::General),
    made_up_stripe(Family::Stripe, 112, 128, 256, 1, 90000),
    stripe(113, 32, 256, 2),
    stripe(114, 64, 128, 2),
});

} // namespace

TEST_CASE("A launch for 2:4 weights covers every feature and token, and no CTA is idle") {
    for (const Limits &limits : {kLarge, kSmall, Limits{1, 232448}})
        for (const int64_t m : {1, 3, 8, 9, 16, 17, 32, 33, 129, 4096})
            for (const int64_t n : {1, 16, 100, 4096, 6144, 28672, 73728}) {
                Problem p = problem_from_text("sp_gemm f16 s4 g128 m1 n1 k4096");
                p.m = m;
                p.n = n;
                const Launch launch = kKernels.chosen(p, limits);
                check_covers(launch, p, limits);
                const bool small = limits.shared_memory_per_block == kSmall.shared_memory_per_block;
                if (m <= 16 || m > 32 || small)
                    CHECK(launch.instance->family == (m <= 16 || small ? Family::SparseSlab : Family::SparseStripe));
            }
}

TEST_CASE("Few rows and 2:4 weights get slabs of as many tokens, and passes that fit the slab") {
    CHECK(kKernels.number("sp_gemm f16 s4 g128 m1 n4096 k4096") == 102);
    CHECK(kKernels.number("sp_gemm f16 s4 g128 m8 n8192 k8192") == 103);
    CHECK(kKernels.number("sp_gemm f16 s4 g128 m9 n4096 k4096") == 104);
    CHECK(kKernels.number("sp_gemm f16 s4 g128 m16 n73728 k18432") == 105);
    CHECK(kKernels.number("sp_gemm f16 s4 g128 m17 n4096 k14336") == 106);
    CHECK(kKernels.number("sp_gemm f16 s4 g128 m32 n8192 k8192") == 107);
    CHECK(kKernels.number("sp_gemm f16 s4 g128 m32 n8192 k28672") == 107);
    CHECK(kKernels.number("sp_gemm f16 s4 g128 m32 n73728 k18432") == 113);
}

TEST_CASE("2:4 weights get stripes for many rows, and for 17 and more where a slab takes many passes") {
    CHECK(kKernels.number("sp_gemm f16 s4 g128 m16 n28672 k4096") == 105);
    for (const char *text : {"sp_gemm f16 s4 g128 m17 n28672 k4096", "sp_gemm f16 s4 g128 m32 n57344 k8192"})
        CHECK(kKernels.number(text) == 113);
    for (const char *text : {"sp_gemm f16 s4 g128 m33 n4096 k4096", "sp_gemm f16 s4 g128 m500 n8192 k8192"})
        CHECK(kKernels.number(text) == 114);
    CHECK(kKernels.number("sp_gemm f16 s4 g128 m500 n8192 k8192", {132, 160000}) == 106);
}

TEST_CASE("Zero points, other groups, and scales of another type than A get the 2:4 kernels for everything") {
    for (const char *rest : {"u4 g128", "u4 g128 zf16", "s4 g64", "s4 gcol", "s4 g128 sbf16"}) {
        CHECK(kKernels.number(fmt::format("sp_gemm f16 {} m8 n4096 k4096", rest)) == 111);
        CHECK(kKernels.number(fmt::format("sp_gemm f16 {} m9 n4096 k4096", rest)) == 110);
    }
}

TEST_CASE("A GPU with less shared memory gets the 2:4 kernel that fits it") {
    CHECK(kKernels.number("sp_gemm f16 s4 g128 m1 n8192 k8192", {108, 166912}) == 102);
    CHECK(kKernels.number("sp_gemm f16 s4 g128 m9 n8192 k8192", {108, 166912}) == 106);
    for (const char *text : {"sp_gemm f16 s4 g128 m1 n8192 k8192", "sp_gemm f16 u4 g32 m100 n8192 k8192"})
        CHECK(kKernels.number(text, kSmall) == 109);
    kKernels.check_refused("sp_gemm f16 s4 g128 m1 n4096 k4096", {132, 79999}, {}, "79999 bytes of shared memory");
}

TEST_CASE("Batch invariance means the same kernel for every batch of a 2:4 multiply") {
    const Wishes wishes = {Math::BatchInvariant, 0};
    for (const char *text : {"sp_gemm f16 s4 g128 m1 n8192 k4096", "sp_gemm f16 s4 g128 m9 n8192 k4096",
                             "sp_gemm f16 s4 g128 m1000 n8192 k4096"})
        CHECK(kKernels.number(text, kLarge, wishes) == 107);
}

TEST_CASE("A forced kernel for 2:4 weights runs or says that it cannot") {
    const char *const text = "sp_gemm f16 s4 g128 m1 n4096 k4096";
    for (const int64_t kernel : {107, 110})
        CHECK(kKernels.number(text, kLarge, {Math::Default, kernel}) == kernel);
    for (const int64_t kernel : {101, 112, 7})
        kKernels.check_refused(text, kLarge, {Math::Default, kernel}, std::to_string(kernel));
    kKernels.check_refused("sp_gemm f16 u4 g128 m1 n4096 k4096", kLarge, {Math::Default, 107}, "107");
    kKernels.check_refused("gemm f16 s4 g128 m1 n4096 k4096", kLarge, {Math::Default, 102}, "102");
    kKernels.check_refused("sp_gemm f32 s4 g128 m1 n4096 k4096", kLarge, {}, "f32");
}
