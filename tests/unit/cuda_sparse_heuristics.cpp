// The choice of CUDA kernels for 2:4 weights, on made-up kernels and devices: no GPU is needed to test a pure function.
#include <vector>

#include "common/arith.h"
#include "common/error.h"
#include "cuda/heuristics.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::cuda;

namespace {

Instance made_up(Family family, int32_t number, int32_t tokens, int32_t row_groups, int32_t shared_size,
                 Weights weights = Weights::Group128, int32_t threads = 256) {
    Instance instance = {};
    instance.name = "made up";
    instance.number = number;
    instance.family = family;
    instance.a_type = Type::F16;
    instance.weights = weights;
    instance.tokens = tokens;
    instance.features = 16 * row_groups;
    instance.ctas_per_sm = 1;
    instance.stages = 3;
    instance.threads = threads;
    instance.shared_size = shared_size;
    return instance;
}
Instance sparse_stripe(int32_t number, int32_t tokens, int32_t features, int32_t k_groups) {
    Instance instance = made_up(Family::SparseStripe, number, tokens, features / 16, 170000);
    instance.k_groups = k_groups;
    instance.partial_size = int64_t{4} * tokens * features;
    return instance;
}

const Instance kInstances[] = {
    made_up(Family::Slab, 101, 8, 2, 90000),
    made_up(Family::SparseSlab, 102, 8, 2, 150000),
    made_up(Family::SparseSlab, 103, 8, 4, 200000),
    made_up(Family::SparseSlab, 104, 16, 2, 180000),
    made_up(Family::SparseSlab, 105, 16, 4, 220000),
    made_up(Family::SparseSlab, 106, 32, 2, 160000),
    made_up(Family::SparseSlab, 107, 32, 4, 190000),
    made_up(Family::SparseSlab, 109, 32, 4, 80000, Weights::General, 96),
    made_up(Family::SparseSlab, 110, 32, 4, 160000, Weights::General, 192),
    made_up(Family::SparseSlab, 111, 8, 4, 120000, Weights::General),
    made_up(Family::Stripe, 112, 128, 16, 90000),
    sparse_stripe(113, 32, 256, 2),
    sparse_stripe(114, 64, 128, 2),
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
    shape.layout = Layout::Sparse24Draft;
    shape.n = p.n;
    shape.group_size = p.group_size;
    shape.k_packed = round_up(p.k, run_rows(shape.layout, p.group_size));
    return make_geometry(shape);
}

Launch chosen(const char *text, const Limits &limits = kLarge, const Wishes &wishes = {}) {
    const Problem p = problem_from_text(text);
    return choose(p, geometry_of(p), limits, wishes, all_instances());
}

void check_refused(const char *text, const Limits &limits, const Wishes &wishes, const std::string &part) {
    try {
        chosen(text, limits, wishes);
        FAIL(text << " was accepted");
    } catch (const Error &error) {
        CHECK(error.status() == Status::NotSupported);
        CHECK(error.text().find(part) != std::string::npos);
    }
}

} // namespace

TEST_CASE("A launch for 2:4 weights covers every feature and token, and no CTA is idle") {
    for (const Limits &limits : {kLarge, kSmall, Limits{1, 232448}})
        for (const int64_t m : {1, 3, 8, 9, 17, 32, 33, 129, 4096})
            for (const int64_t n : {1, 16, 100, 4096, 6144, 28672, 73728}) {
                Problem p = problem_from_text("sp_gemm f16 s4 g128 m1 n1 k4096");
                p.m = m;
                p.n = n;
                const Geometry g = geometry_of(p);
                const Launch launch = choose(p, g, limits, {}, all_instances());
                INFO(to_text(p) << " on " << limits.sm_count << " SMs: " << launch.instance->number);
                CHECK(launch.grid[0] <= limits.sm_count);
                if (m <= 16 || limits.shared_memory_per_block == kSmall.shared_memory_per_block)
                    CHECK(launch.instance->family == Family::SparseSlab);
                if (launch.instance->family == Family::SparseSlab) {
                    const int64_t row_groups = g.n_packed() / 16;
                    CHECK(launch.grid[0] * launch.groups_per_cta >= row_groups);
                    CHECK((launch.grid[0] - 1) * launch.groups_per_cta < row_groups);
                    CHECK(launch.grid[1] * launch.instance->tokens >= m);
                    CHECK((launch.grid[1] - 1) * launch.instance->tokens < m);
                    CHECK(launch.partials_size == 0);
                } else {
                    const Partition &parts = launch.partition;
                    CHECK(m > 16);
                    CHECK(parts.tiles == div_up(n, launch.instance->features) * div_up(m, launch.instance->tokens));
                    CHECK(int64_t{parts.units.value} * launch.instance->k_groups * 128 >= g.shape.k_packed);
                    CHECK(launch.grid[0] == parts.ctas);
                    CHECK((launch.partials_size > 0) == (parts.striped > 0));
                }
            }
}

TEST_CASE("Few rows and 2:4 weights get slabs of as many tokens, and passes that fit the slab") {
    CHECK(chosen("sp_gemm f16 s4 g128 m1 n4096 k4096").instance->number == 102);
    CHECK(chosen("sp_gemm f16 s4 g128 m8 n8192 k8192").instance->number == 103);
    CHECK(chosen("sp_gemm f16 s4 g128 m9 n4096 k4096").instance->number == 104);
    CHECK(chosen("sp_gemm f16 s4 g128 m16 n73728 k18432").instance->number == 105);
    CHECK(chosen("sp_gemm f16 s4 g128 m17 n4096 k14336").instance->number == 106);
    CHECK(chosen("sp_gemm f16 s4 g128 m32 n8192 k8192").instance->number == 107);
    CHECK(chosen("sp_gemm f16 s4 g128 m32 n8192 k28672").instance->number == 107);
    CHECK(chosen("sp_gemm f16 s4 g128 m32 n73728 k18432").instance->number == 113);
}

TEST_CASE("2:4 weights get stripes for many rows, and for 17 and more where a slab takes many passes") {
    CHECK(chosen("sp_gemm f16 s4 g128 m16 n28672 k4096").instance->number == 105);
    for (const char *text : {"sp_gemm f16 s4 g128 m17 n28672 k4096", "sp_gemm f16 s4 g128 m32 n57344 k8192"})
        CHECK(chosen(text).instance->number == 113);
    for (const char *text : {"sp_gemm f16 s4 g128 m33 n4096 k4096", "sp_gemm f16 s4 g128 m500 n8192 k8192"})
        CHECK(chosen(text).instance->number == 114);
    CHECK(chosen("sp_gemm f16 s4 g128 m500 n8192 k8192", {132, 160000}).instance->number == 106);
}

TEST_CASE("Zero points, other groups, and scales of another type than A get the 2:4 kernels for everything") {
    for (const char *rest : {"u4 g128", "u4 g128 zf16", "s4 g64", "s4 gcol", "s4 g128 sbf16"}) {
        CHECK(chosen(fmt::format("sp_gemm f16 {} m8 n4096 k4096", rest).c_str()).instance->number == 111);
        CHECK(chosen(fmt::format("sp_gemm f16 {} m9 n4096 k4096", rest).c_str()).instance->number == 110);
    }
}

TEST_CASE("A GPU with less shared memory gets the 2:4 kernel that fits it") {
    CHECK(chosen("sp_gemm f16 s4 g128 m1 n8192 k8192", {108, 166912}).instance->number == 102);
    CHECK(chosen("sp_gemm f16 s4 g128 m9 n8192 k8192", {108, 166912}).instance->number == 106);
    for (const char *text : {"sp_gemm f16 s4 g128 m1 n8192 k8192", "sp_gemm f16 u4 g32 m100 n8192 k8192"})
        CHECK(chosen(text, kSmall).instance->number == 109);
    check_refused("sp_gemm f16 s4 g128 m1 n4096 k4096", {132, 79999}, {}, "79999 bytes of shared memory");
}

TEST_CASE("Batch invariance means the same kernel for every batch of a 2:4 multiply") {
    const Wishes wishes = {Math::BatchInvariant, 0};
    for (const char *text : {"sp_gemm f16 s4 g128 m1 n8192 k4096", "sp_gemm f16 s4 g128 m9 n8192 k4096",
                             "sp_gemm f16 s4 g128 m1000 n8192 k4096"})
        CHECK(chosen(text, kLarge, wishes).instance->number == 107);
}

TEST_CASE("A forced kernel for 2:4 weights runs or says that it cannot") {
    const char *const text = "sp_gemm f16 s4 g128 m1 n4096 k4096";
    for (const int64_t kernel : {107, 110})
        CHECK(chosen(text, kLarge, {Math::Default, kernel}).instance->number == kernel);
    for (const int64_t kernel : {101, 112, 7})
        check_refused(text, kLarge, {Math::Default, kernel}, std::to_string(kernel));
    check_refused("sp_gemm f16 u4 g128 m1 n4096 k4096", kLarge, {Math::Default, 107}, "107");
    check_refused("gemm f16 s4 g128 m1 n4096 k4096", kLarge, {Math::Default, 102}, "102");
    check_refused("sp_gemm f32 s4 g128 m1 n4096 k4096", kLarge, {}, "f32");
}
