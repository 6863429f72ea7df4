// When Hopper's own kernels are chosen, and how they cut problems.
#include "unit/cuda_made_up.h"

using namespace marlin;
using namespace marlin::cuda;
using namespace marlin::test;

namespace {

constexpr Limits kHopper = {132, 232448, 90};

Instance wgmma(int32_t number, int32_t tokens, int32_t features, Weights weights = Weights::Group128,
               Type a_type = Type::F16) {
    Instance instance = made_up_stripe(Family::Wgmma, number, tokens, features, 2, 200000, weights);
    instance.ctas_per_sm = 1;
    instance.a_type = a_type;
    instance.turns = features == 64 ? 2 : 1;
    return instance;
}

const MadeUpKernels kKernels({
    made_up_slab(Family::Slab, 101, 8, 2, 70000),
    made_up_slab(Family::Slab, 102, 8, 7, 150000),
    made_up_stripe(Family::Stripe, 103, 128, 256, 1, 200000),
    made_up_stripe(Family::Stripe, 104, 64, 128, 2, 200000, Weights::General),
    wgmma(105, 8, 256),
    wgmma(106, 64, 64),
    wgmma(107, 64, 256),
    wgmma(108, 128, 64),
    wgmma(109, 128, 128),
    wgmma(110, 256, 128),
    wgmma(111, 128, 128, Weights::General),
    wgmma(112, 128, 128, Weights::Rows128),
    wgmma(115, 128, 128, Weights::Rows64),
    wgmma(117, 128, 128, Weights::Rows32),
    wgmma(118, 16, 256, Weights::Group64),
    wgmma(119, 16, 256, Weights::Group32),
    wgmma(120, 16, 256, Weights::Rows64),
    wgmma(121, 16, 256, Weights::Rows32),
    wgmma(116, 128, 128, Weights::Offsets128),
    wgmma(113, 128, 128, Weights::Group128, Type::BF16),
    wgmma(114, 128, 128, Weights::Rows64, Type::BF16),
});

} // namespace

TEST_CASE("wgmma kernels cover every feature, token and row of k, and only Hopper gets them") {
    for (const int64_t m : {1, 8, 9, 64, 65, 129, 1000, 4096})
        for (const int64_t n : {1, 100, 4096, 6144, 73728})
            for (const int64_t k : {1, 100, 4096, 18432})
                for (const char *format : {"s4 g128", "u4 g64", "s4 gcol"}) {
                    Problem p = problem_from_text(fmt::format("gemm f16 {} m1 n1 k1", format));
                    p.m = m;
                    p.n = n;
                    p.k = k;
                    const Launch launch = kKernels.chosen(p, kHopper);
                    check_covers(launch, p, kHopper);
                    CHECK(launch.partition.striped <= kArrivals);
                    CHECK(workspace_size(p, geometry_of(p), kHopper, {}, kKernels.all(), true) <= kDefaultWorkspace);
                    for (const int32_t capability : {80, 86, 89, 100, 120})
                        if (m > 8 || p.group_size == 128)
                            CHECK(kKernels.chosen(p, {132, 232448, capability}).instance->family != Family::Wgmma);
                }
}

TEST_CASE("On Hopper few tokens get slabs unless tiles are many, many tokens get tiles that fill the GPU") {
    CHECK(kKernels.number("gemm f16 s4 g128 m1 n4096 k4096", kHopper) == 101);
    CHECK(kKernels.number("gemm f16 s4 g128 m1 n12288 k4096", kHopper) == 102);
    CHECK(kKernels.number("gemm f16 s4 g128 m1 n57344 k8192", kHopper) == 105);
    CHECK(kKernels.number("gemm f16 s4 g128 m64 n4096 k4096", kHopper) == 106);
    CHECK(kKernels.number("gemm f16 s4 g128 m64 n57344 k8192", kHopper) == 107);
    CHECK(kKernels.number("gemm f16 s4 g128 m256 n4096 k4096", kHopper) == 108);
    CHECK(kKernels.number("gemm f16 s4 g128 m4096 n8192 k8192", kHopper) == 110);
}

TEST_CASE("On Hopper batch invariance means whole tiles of kernels that add up in one order") {
    Instance few = wgmma(201, 16, 64);
    Instance many = wgmma(202, 128, 64);
    Instance fast = wgmma(203, 128, 256);
    Instance other = wgmma(204, 64, 64);
    few.order = many.order = 1;
    other.order = 2;
    const MadeUpKernels kernels({few, many, fast, other, made_up_slab(Family::Slab, 205, 8, 2, 70000),
                                 made_up_slab(Family::Slab, 206, 32, 2, 70000)});
    const Wishes wishes = {Math::BatchInvariant, 0};
    for (int64_t m = 1; m <= 4096; m += m < 300 ? 1 : 499) {
        Problem p = problem_from_text("gemm f16 s4 g128 m1 n4096 k4096");
        p.m = m;
        const Launch launch = choose(p, geometry_of(p), kHopper, wishes, kernels.all());
        INFO(m);
        CHECK(launch.instance->order == 1);
        CHECK(launch.partition.striped == 0);
        CHECK((m > 16 || launch.instance->number == 201));
    }
    // Elsewhere they have no code.
    CHECK(kernels.number("gemm f16 s4 g128 m64 n4096 k4096", kLarge, wishes) == 206);
}

TEST_CASE("On Hopper CTAs of a cluster share tiles of an even cut without the workspace") {
    Instance narrow = wgmma(301, 64, 64);
    narrow.sharers = 4;
    const MadeUpKernels kernels({narrow});
    for (const int64_t n : {64, 1000, 4096, 4224, 8192})
        for (const int64_t k : {128, 256, 4096, 4224, 14336}) {
            Problem p = problem_from_text("gemm f16 s4 g128 m64 n1 k1");
            p.n = n;
            p.k = k;
            const Launch launch = kernels.chosen(p, kHopper);
            INFO(to_text(p));
            check_covers(launch, p, kHopper);
            if (launch.sharers == 1)
                continue;
            CHECK(launch.partition.units.value % launch.sharers == 0);
            CHECK(launch.partition.striped == launch.partition.tiles);
            CHECK(launch.grid[0] == launch.sharers * launch.partition.tiles);
            CHECK(launch.partials_size == 0);
        }
    CHECK(kernels.chosen(problem_from_text("gemm f16 s4 g128 m64 n4096 k4096"), kHopper).sharers == 2);
    CHECK(kernels.chosen(problem_from_text("gemm f16 s4 g128 m64 n2048 k4096"), kHopper).sharers == 4);
    CHECK(kernels.chosen(problem_from_text("gemm f16 s4 g128 m64 n8192 k4096"), kHopper).sharers == 1);
}

TEST_CASE("On Hopper CTAs that share what they read of A take tiles of that many CTAs, and whole tiles of tokens") {
    Instance pair = wgmma(401, 256, 256);
    pair.beside = 2;
    const MadeUpKernels kernels({wgmma(402, 128, 64), pair});
    Wishes wishes;
    wishes.kernel = 401;
    for (const int64_t m : {256, 300, 1024, 70000})
        for (const int64_t n : {1, 64, 1000, 4096, 28672, 1 << 20})
            for (const int64_t k : {128, 4096, 14336}) {
                Problem p = problem_from_text("gemm f16 s4 g128 m1 n1 k1");
                p.m = m;
                p.n = n;
                p.k = k;
                const Launch launch = choose(p, geometry_of(p), kHopper, wishes, kernels.all());
                check_covers(launch, p, kHopper);
                CHECK(launch.grid[0] % 2 == 0);
                // A counter for each CTA of a pair, and the sums of all in the workspace.
                CHECK(launch.partition.striped * 2 <= kArrivals);
                CHECK(launch.partials_size <= kDefaultWorkspace - kGatherSize - kArrivalsSize);
                CHECK(workspace_size(p, geometry_of(p), kHopper, wishes, kernels.all(), true) <= kDefaultWorkspace);
            }
    kernels.check_refused("gemm f16 s4 g128 m255 n4096 k4096", kHopper, wishes, "cannot run");
    CHECK(kernels.number("gemm f16 s4 g128 m255 n8192 k8192", kHopper) == 402);
}

TEST_CASE("Each kind of weights has wgmma kernels of its own") {
    for (const char *format : {"u4 g128", "s4 gcol", "u4 gcol"}) {
        INFO(format);
        CHECK(kKernels.number(fmt::format("gemm f16 {} m4096 n8192 k8192", format), kHopper) == 112);
    }
    CHECK(kKernels.number("gemm f16 s4 g64 m4096 n8192 k8192", kHopper) == 115);
    CHECK(kKernels.number("gemm f16 u4 g64 m4096 n8192 k8192", kHopper) == 115);
    CHECK(kKernels.number("gemm f16 s4 g128 m4096 n8192 k8192 sbf16", kHopper) == 112);
    CHECK(kKernels.number("gemm f16 u4 g32 m4096 n8192 k8192", kHopper) == 117);
    CHECK(kKernels.number("gemm f16 u4 g32 m4096 n8192 k8192 zf16", kHopper) == 111);
    // Symmetric weights in small groups have kernels for few tokens, and share the others.
    CHECK(kKernels.number("gemm f16 s4 g64 m16 n57344 k8192", kHopper) == 118);
    CHECK(kKernels.number("gemm f16 s4 g32 m16 n57344 k8192", kHopper) == 119);
    CHECK(kKernels.number("gemm f16 u4 g64 m16 n57344 k8192", kHopper) == 120);
    CHECK(kKernels.number("gemm f16 s4 g64 m16 n57344 k8192 sbf16", kHopper) == 120);
    CHECK(kKernels.number("gemm f16 u4 g32 m16 n57344 k8192", kHopper) == 121);
    CHECK(kKernels.number("gemm f16 s4 g32 m4096 n8192 k8192", kHopper) == 117);
    CHECK(kKernels.number("gemm f16 u4 g64 m4096 n8192 k8192 zf16", kHopper) == 111);
    CHECK(kKernels.number("gemm f16 u4 g128 m4096 n8192 k8192 zf16", kHopper) == 116);
    CHECK(kKernels.number("gemm f16 u4 gcol m4096 n8192 k8192 zf32", kHopper) == 116);
    // Of the kernels that know most, those for BF16 take scales of both types.
    CHECK(kKernels.number("gemm bf16 s4 g128 m4096 n8192 k8192 sf16", kHopper) == 113);
    CHECK(kKernels.number("gemm bf16 s4 g128 m4096 n8192 k8192 sbf16", kHopper) == 113);
    CHECK(kKernels.number("gemm bf16 s4 g64 m4096 n8192 k8192 sbf16", kHopper) == 114);
    Wishes wishes;
    wishes.kernel = 111;
    kKernels.check_refused("gemm f16 s4 g128 m100 n4096 k4096", kHopper, wishes, "cannot run");
    kKernels.check_refused("gemm f16 u4 g64 m100 n4096 k4096", kHopper, wishes, "cannot run");
    wishes.kernel = 112;
    kKernels.check_refused("gemm f16 u4 g128 m100 n4096 k4096", kLarge, wishes, "cannot run");
    kKernels.check_refused("gemm f16 u4 g64 m100 n4096 k4096", kHopper, wishes, "cannot run");
    kKernels.check_refused("gemm f16 u4 g128 m100 n4096 k4096 zf16", kHopper, wishes, "cannot run");
}
