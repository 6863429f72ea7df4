// The choice of CUDA kernels for dense weights.
#include "unit/cuda_made_up.h"

using namespace marlin;
using namespace marlin::cuda;
using namespace marlin::test;

namespace {

Instance slab(int32_t number, int32_t tokens, int32_t row_groups, int32_t shared_size) {
    return made_up_slab(Family::Slab, number, tokens, row_groups, shared_size);
}
Instance stripe(int32_t number, int32_t tokens, int32_t features, int32_t k_groups,
                Weights weights = Weights::Group128) {
    return made_up_stripe(Family::Stripe, number, tokens, features, k_groups, tokens * 1000, weights);
}

const MadeUpKernels kKernels({
    slab(101, 8, 2, 70000),
    slab(102, 8, 4, 150000),
    slab(103, 16, 2, 90000),
    slab(104, 16, 4, 170000),
    slab(105, 32, 2, 95000),
    slab(106, 32, 4, 200000),
    stripe(107, 16, 128, 4),
    stripe(108, 64, 128, 2),
    stripe(109, 128, 256, 1),
    stripe(110, 64, 128, 2, Weights::General),
});

} // namespace

TEST_CASE("A launch covers every feature and token, and no CTA of a slab is idle") {
    for (const Limits &limits : {kLarge, kSmall, Limits{1, 232448}})
        for (const int64_t m : {1, 3, 8, 9, 17, 32, 33, 64, 65, 128, 129, 1000, 4096})
            for (const int64_t n : {1, 16, 100, 4096, 6144, 28672, 73728})
                for (const int64_t k : {1, 100, 4096, 18432}) {
                    Problem p = problem_from_text("gemm f16 s4 g128 m1 n1 k1");
                    p.m = m;
                    p.n = n;
                    p.k = k;
                    check_covers(kKernels.chosen(p, limits), p, limits);
                }
}

TEST_CASE("Stripes have counters to count with and fit the default workspace") {
    for (const int64_t m : {33, 64, 100, 128, 256, 1024})
        for (const int64_t n : {64, 256, 4096, 8192, 28672})
            for (const int64_t k : {128, 1024, 4096, 28672}) {
                Problem p = problem_from_text("gemm f16 s4 g128 m1 n1 k1");
                p.m = m;
                p.n = n;
                p.k = k;
                const Geometry g = geometry_of(p);
                const Launch launch = kKernels.chosen(p);
                if (launch.instance->family == Family::Slab)
                    continue;
                CHECK(launch.partition.striped <= kArrivals);
                CHECK((launch.partition.striped > 0) == (launch.partials_size > 0));
                for (const bool gathers : {false, true})
                    CHECK(workspace_size(p, g, kLarge, {}, kKernels.all(), gathers) <= kDefaultWorkspace);
            }
}

TEST_CASE("Few tokens get slabs, many get stripes, and a small GPU what fits it") {
    CHECK(kKernels.number("gemm f16 s4 g128 m1 n4096 k4096") == 101);
    CHECK(kKernels.number("gemm f16 s4 g128 m1 n8192 k8192") == 102);
    CHECK(kKernels.number("gemm f16 s4 g128 m16 n8192 k8192") == 104);
    CHECK(kKernels.number("gemm f16 s4 g128 m16 n57344 k8192") == 107);
    CHECK(kKernels.number("gemm f16 s4 g128 m1024 n8192 k8192") == 109);
    CHECK(kKernels.number("gemm f16 s4 g128 m1024 n8192 k8192", kSmall) == 108);
    // No slab knows integer zero points here.
    CHECK(kKernels.number("gemm f16 u4 g64 m1 n4096 k4096") == 110);
}

TEST_CASE("A gather goes in even chunks of whole tiles") {
    Problem p = problem_from_text("gemm f16 s4 g128 m1024 n8192 k28672 perm");
    const GatherPlan plan = plan_gather(p, geometry_of(p), kLarge, kKernels.all());
    CHECK(plan.rows % 128 == 0);
    CHECK(plan.size == plan.rows * 28672 * 2);
    CHECK(div_up(p.m, plan.rows) == 2);
    // Few rows take what they need.
    p.m = 5;
    CHECK(plan_gather(p, geometry_of(p), kLarge, kKernels.all()).rows == 5);
    CHECK(workspace_size(p, geometry_of(p), kLarge, {}, kKernels.all(), true) < (1 << 20));
}

TEST_CASE("Gathers and stripes fit the default workspace together, on few SMs and on many") {
    for (const int32_t sms : {1, 40, 132, 148, 300})
        for (const int64_t m : {1, 100, 1024, 3000, 100000})
            for (const int64_t k : {100, 4096, 14336, 29568, 1000000}) {
                Problem p = problem_from_text("gemm f16 s4 g128 m1 n4096 k1 perm");
                p.m = m;
                p.k = k;
                const Geometry g = geometry_of(p);
                const Limits limits = {sms, 232448};
                const GatherPlan plan = plan_gather(p, g, limits, kKernels.all());
                INFO(to_text(p) << " on " << sms << " SMs");
                CHECK(plan.rows >= 1);
                CHECK(plan.rows <= m);
                CHECK(plan.size >= plan.rows * g.shape.k_packed * 2);
                CHECK(plan.size % 256 == 0);
                CHECK(workspace_size(p, g, limits, {}, kKernels.all(), true) <= kDefaultWorkspace);
            }
    Problem p = problem_from_text("gemm f16 s4 g128 m1 n64 k100000000 perm");
    CHECK_THROWS_AS(plan_gather(p, geometry_of(p), kLarge, kKernels.all()), Error);
}

TEST_CASE("Batch invariance means the same kernel for every batch") {
    const Wishes wishes = {Math::BatchInvariant, 0};
    for (const char *text :
         {"gemm f16 s4 g128 m1 n4096 k4096", "gemm f16 s4 g128 m9 n4096 k4096", "gemm f16 s4 g128 m1000 n4096 k4096"})
        CHECK(kKernels.number(text, kLarge, wishes) == 105);
}

TEST_CASE("A forced kernel runs or says that it cannot") {
    CHECK(kKernels.number("gemm f16 s4 g128 m1 n4096 k4096", kLarge, {Math::Default, 109}) == 109);
    for (const int64_t kernel : {110, 7})
        kKernels.check_refused("gemm f16 s4 g128 m1 n4096 k4096", kLarge, {Math::Default, kernel},
                               std::to_string(kernel));
}

TEST_CASE("FP32 activations and blocks that fit nowhere are not supported") {
    kKernels.check_refused("gemm f32 s4 g128 m1 n4096 k4096", kLarge, {}, "f32");
    kKernels.check_refused("gemm f16 s4 g128 m1 n4096 k4096", {132, 1000}, {}, "1000 bytes of shared memory");
}
