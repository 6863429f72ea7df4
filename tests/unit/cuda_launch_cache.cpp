// Launches that are remembered.
#include "cuda/launch_cache.h"

#include "unit/cuda_made_up.h"

using namespace marlin;
using namespace marlin::cuda;
using namespace marlin::test;

namespace {

const MadeUpKernels kKernels({
    made_up_slab(Family::Slab, 101, 8, 2, 70000),
    made_up_slab(Family::Slab, 102, 8, 4, 150000),
    made_up_slab(Family::Slab, 103, 32, 2, 95000),
    made_up_stripe(Family::Stripe, 104, 64, 128, 2, 64000),
});

int32_t number(LaunchCache &cache, const Problem &p, const Wishes &wishes = {}) {
    return cache.choose(p, geometry_of(p), kLarge, wishes, kKernels.all()).instance->number;
}

} // namespace

TEST_CASE("Remembered launches are those that would be chosen again, whatever came between") {
    LaunchCache cache;
    for (int round = 0; round < 2; ++round)
        for (const int64_t m : {1, 7, 32, 33, 500})
            for (const int64_t n : {64, 4096, 6144, 28672})
                for (const int64_t k : {128, 4096, 8192, 14336}) {
                    Problem p = problem_from_text("gemm f16 s4 g128 m1 n1 k1");
                    p.m = m;
                    p.n = n;
                    p.k = k;
                    const Launch chosen = kKernels.chosen(p);
                    const Launch &remembered = cache.choose(p, geometry_of(p), kLarge, {}, kKernels.all());
                    CHECK(remembered.instance == chosen.instance);
                    CHECK(remembered.grid[0] == chosen.grid[0]);
                    CHECK(remembered.grid[1] == chosen.grid[1]);
                    CHECK(remembered.groups_per_cta == chosen.groups_per_cta);
                    CHECK(remembered.partials_size == chosen.partials_size);
                }
}

TEST_CASE("Wishes are asked again after the cache was cleared, and a refusal is not remembered") {
    LaunchCache cache;
    const Problem p = problem_from_text("gemm f16 s4 g128 m1 n4096 k4096");
    Wishes wishes;
    wishes.kernel = 99;
    CHECK_THROWS_AS(number(cache, p, wishes), Error);
    CHECK(number(cache, p) == 101);
    wishes.kernel = 102;
    CHECK(number(cache, p, wishes) == 101);
    cache.clear();
    CHECK(number(cache, p, wishes) == 102);
}

TEST_CASE("Weights of one shape that are packed longer have launches of their own") {
    LaunchCache cache;
    const Problem p = problem_from_text("gemm f16 s4 g128 m64 n4096 k4096 perm");
    Geometry geometry = geometry_of(p);
    const Launch chosen = cache.choose(p, geometry, kLarge, {}, kKernels.all());
    geometry.shape.k_packed += 128;
    const Launch &longer = cache.choose(p, geometry, kLarge, {}, kKernels.all());
    CHECK(longer.partition.units.value == chosen.partition.units.value + 1);
}
