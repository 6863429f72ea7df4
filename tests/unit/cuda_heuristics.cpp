// The choice of CUDA kernels, on made-up kernels and devices: no GPU is needed to test a pure function.
#include <vector>

#include "common/arith.h"
#include "common/error.h"
#include "cuda/heuristics.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::cuda;

namespace {

Instance slab(int32_t number, int32_t tokens, int32_t row_groups, int32_t shared_size) {
    Instance i = {};
    i.name = "slab";
    i.number = number;
    i.family = Family::Slab;
    i.a_type = Type::F16;
    i.weights = Weights::Group128;
    i.tokens = tokens;
    i.features = 16 * row_groups;
    i.ctas_per_sm = 1;
    i.shared_size = shared_size;
    return i;
}
Instance stripe(int32_t number, int32_t tokens, int32_t features, int32_t k_groups,
                Weights weights = Weights::Group128) {
    Instance i = {};
    i.name = "stripe";
    i.number = number;
    i.family = Family::Stripe;
    i.a_type = Type::F16;
    i.weights = weights;
    i.tokens = tokens;
    i.features = features;
    i.k_groups = k_groups;
    i.ctas_per_sm = tokens <= 16 ? 2 : 1;
    i.shared_size = tokens * 1000;
    i.partial_size = int64_t{4} * tokens * features;
    return i;
}

const Instance kInstances[] = {
    slab(101, 8, 2, 70000),   slab(102, 8, 4, 150000),
    slab(103, 16, 2, 90000),  slab(104, 16, 4, 170000),
    slab(105, 32, 2, 95000),  slab(106, 32, 4, 200000),
    stripe(107, 16, 128, 4),  stripe(108, 64, 128, 2),
    stripe(109, 128, 256, 1), stripe(110, 64, 128, 2, Weights::General),
};

std::vector<const Instance *> all_instances() {
    std::vector<const Instance *> all;
    for (const Instance &instance : kInstances)
        all.push_back(&instance);
    return all;
}

constexpr Limits kLarge = {132, 232448};
constexpr Limits kSmall = {84, 101376}; // 8.6: 99 KB

Geometry geometry_of(const Problem &p) {
    PackedShape shape;
    shape.layout = Layout::DenseDraft;
    shape.n = p.n;
    shape.group_size = p.group_size;
    shape.k_packed = round_up(p.k, run_rows(Layout::DenseDraft, p.group_size));
    return make_geometry(shape);
}

Launch chosen(const char *text, const Limits &limits = kLarge, const Wishes &wishes = {}) {
    const Problem p = problem_from_text(text);
    return choose(p, geometry_of(p), limits, wishes, all_instances());
}

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
                    const Geometry g = geometry_of(p);
                    const Launch launch = choose(p, g, limits, {}, all_instances());
                    INFO(to_text(p) << " on " << limits.sm_count << " SMs: " << launch.instance->number);
                    const int64_t row_groups = g.n_packed() / 16;
                    if (launch.instance->family == Family::Slab) {
                        CHECK(launch.grid[0] * launch.groups_per_cta >= row_groups);
                        CHECK((launch.grid[0] - 1) * launch.groups_per_cta < row_groups);
                        CHECK(launch.grid[0] <= limits.sm_count);
                        CHECK(launch.grid[1] * launch.instance->tokens >= m);
                    } else {
                        const Partition &parts = launch.partition;
                        CHECK(parts.tiles == div_up(n, launch.instance->features) * div_up(m, launch.instance->tokens));
                        CHECK(int64_t{parts.units.value} * launch.instance->k_groups * 64 >= g.shape.k_packed);
                        CHECK(launch.grid[0] == parts.ctas);
                        CHECK(launch.grid[0] <= int64_t{limits.sm_count} * launch.instance->ctas_per_sm);
                    }
                    CHECK(launch.instance->shared_size <= limits.shared_memory_per_block);
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
                const Launch launch = choose(p, g, kLarge, {}, all_instances());
                if (launch.instance->family == Family::Slab)
                    continue;
                CHECK(launch.partition.striped <= kArrivals);
                CHECK((launch.partition.striped > 0) == (launch.partials_size > 0));
                for (const bool gathers : {false, true})
                    CHECK(workspace_size(p, g, kLarge, {}, all_instances(), gathers) <= kDefaultWorkspace);
            }
}

TEST_CASE("Few tokens get slabs, many get stripes, and a small GPU what fits it") {
    CHECK(chosen("gemm f16 s4 g128 m1 n4096 k4096").instance->number == 101);
    CHECK(chosen("gemm f16 s4 g128 m1 n8192 k8192").instance->number == 102);
    CHECK(chosen("gemm f16 s4 g128 m16 n8192 k8192").instance->number == 104);
    CHECK(chosen("gemm f16 s4 g128 m16 n57344 k8192").instance->number == 107);
    CHECK(chosen("gemm f16 s4 g128 m1024 n8192 k8192").instance->number == 109);
    CHECK(chosen("gemm f16 s4 g128 m1024 n8192 k8192", kSmall).instance->number == 108);
    // No slab knows integer zero points here.
    CHECK(chosen("gemm f16 u4 g64 m1 n4096 k4096").instance->number == 110);
}

TEST_CASE("A gather goes in even chunks of whole tiles") {
    Problem p = problem_from_text("gemm f16 s4 g128 m1024 n8192 k28672 perm");
    const int64_t rows = gather_rows(p, geometry_of(p));
    CHECK(rows % 128 == 0);
    CHECK(rows * 28672 * 2 <= kGatherSize);
    CHECK(div_up(p.m, rows) == 3);
    p.m = 5;
    CHECK(gather_rows(p, geometry_of(p)) >= 5);
}

TEST_CASE("Batch invariance means the same kernel for every batch") {
    const Wishes wishes = {Math::BatchInvariant, 0};
    for (const char *text :
         {"gemm f16 s4 g128 m1 n4096 k4096", "gemm f16 s4 g128 m9 n4096 k4096", "gemm f16 s4 g128 m1000 n4096 k4096"})
        CHECK(chosen(text, kLarge, wishes).instance->number == 105);
}

TEST_CASE("A forced kernel runs or says that it cannot") {
    CHECK(chosen("gemm f16 s4 g128 m1 n4096 k4096", kLarge, {Math::Default, 109}).instance->number == 109);
    for (const int64_t kernel : {int64_t{110}, int64_t{7}})
        try {
            chosen("gemm f16 s4 g128 m1 n4096 k4096", kLarge, {Math::Default, kernel});
            FAIL("kernel " << kernel << " was accepted");
        } catch (const Error &error) {
            CHECK(error.status() == Status::NotSupported);
            CHECK(error.text().find(std::to_string(kernel)) != std::string::npos);
        }
}

TEST_CASE("FP32 activations and blocks that fit nowhere are not supported") {
    for (const auto &[text, limits] : {std::pair{"gemm f32 s4 g128 m1 n4096 k4096", kLarge},
                                       std::pair{"gemm f16 s4 g128 m1 n4096 k4096", Limits{132, 1000}}})
        try {
            chosen(text, limits);
            FAIL(text << " was accepted");
        } catch (const Error &error) {
            CHECK(error.status() == Status::NotSupported);
        }
}
