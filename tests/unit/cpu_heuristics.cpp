// Which CPU kernel a problem gets, and what it is told about it.
#include "cpu/heuristics.h"

#include "common/error.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::cpu;

namespace {

Geometry geometry_of(const Problem &problem, Layout layout) {
    PackedShape shape;
    shape.layout = layout;
    shape.type = problem.type;
    shape.scale_type = problem.scale_type;
    shape.zero_type = problem.zero_type;
    shape.n = problem.n;
    shape.group_size = problem.group_size;
    shape.k_packed = round_up(problem.k, run_rows(layout, problem.group_size));
    return make_geometry(shape);
}

KernelPlan plan(const char *text, CpuConfig config, Layout layout = Layout::Default) {
    const Problem problem = problem_from_text(text);
    if (layout == Layout::Default)
        layout = problem.sparse ? Layout::CpuSparse24Draft : Layout::CpuDraft;
    const Geometry geometry = geometry_of(problem, layout);
    return describe(choose(problem, geometry, config), problem, geometry, config);
}

std::string kernel(const char *text, Isa isa, int32_t forced = 0) {
    return plan(text, {isa, 2, forced}).kernel;
}

constexpr const char *kDense = "gemm f16 s4 g128 m16 n4096 k4096";
constexpr const char *kSparse = "sp_gemm bf16 u4 g64 m16 n4096 k4096";

} // namespace

TEST_CASE("The instruction set names the kernel") {
    CHECK(kernel(kDense, Isa::Reference) == "cpu_reference");
    CHECK(kernel(kDense, Isa::Avx2) == "cpu_avx2");
    CHECK(kernel(kDense, Isa::Avx512) == "cpu_avx512");
    CHECK(kernel(kDense, Isa::Avx512Bf16) == "cpu_avx512_bf16");
    CHECK(kernel(kSparse, Isa::Avx2) == "cpu_avx2_24");
    CHECK(kernel(kSparse, Isa::Avx512) == "cpu_avx512_24");
    CHECK(kernel(kSparse, Isa::Avx512Bf16) == "cpu_avx512_bf16_24");
}

TEST_CASE("Layouts for GPUs and rows beyond the workspace run as the reference, with the reason") {
    const KernelPlan gpu_layout = plan(kDense, {Isa::Avx512Bf16, 2, 0}, Layout::Dense);
    CHECK(std::string(gpu_layout.kernel) == "cpu_reference");
    CHECK(gpu_layout.slow);
    CHECK(gpu_layout.why.find("dense") != std::string::npos);

    const KernelPlan long_row = plan("gemm f16 s4 g128 m1 n64 k100000000", {Isa::Avx512Bf16, 2, 0});
    CHECK(std::string(long_row.kernel) == "cpu_reference");
    CHECK(long_row.why.find("100000000") != std::string::npos);
    CHECK(long_row.why.find("67108864") != std::string::npos);
    CHECK(kernel("gemm f16 s4 g128 m1 n64 k10000000", Isa::Avx512Bf16) == "cpu_avx512_bf16");
}

TEST_CASE("A kernel can be forced where it runs, and is refused by number elsewhere") {
    CHECK(kernel(kDense, Isa::Avx512Bf16, 1) == "cpu_reference");
    CHECK(kernel(kDense, Isa::Avx512Bf16, 2) == "cpu_avx2");
    CHECK(kernel(kSparse, Isa::Avx512Bf16, 13) == "cpu_avx512_24");
    for (const int32_t wrong : {4, 12, 99}) // more than AVX-512 has, 2:4, unknown
        try {
            kernel(kDense, Isa::Avx512, wrong);
            FAIL("kernel " << wrong << " was accepted");
        } catch (const Error &error) {
            CHECK(error.status() == Status::NotSupported);
            CHECK(error.text().find(std::to_string(wrong)) != std::string::npos);
            CHECK(error.text().find("cpu_avx512") != std::string::npos);
        }
    CHECK_THROWS_AS(plan(kDense, {Isa::Avx512, 2, 2}, Layout::Dense), Error);
}

TEST_CASE("No call needs more workspace than a handle has, and large m no more than 64 rows") {
    for (const char *text : {"gemm f32 u4 g32 m1 n64 k64", "gemm f32 u4 g32 m100000 n64 k28672 zf32",
                             "sp_gemm f32 u4 g32 m2147483647 n64 k10000000", "gemm f16 s4 g128 m3 n64 k16000000"})
        for (const Isa isa : {Isa::Avx2, Isa::Avx512, Isa::Avx512Bf16}) {
            const KernelPlan p = plan(text, {isa, 2, 0});
            CHECK(p.workspace_size > 0);
            CHECK(p.workspace_size <= kDefaultWorkspace);
        }
    CHECK(plan("gemm f16 s4 g128 m64 n64 k4096", {Isa::Avx2, 2, 0}).workspace_size ==
          plan("gemm f16 s4 g128 m6400 n64 k4096", {Isa::Avx2, 2, 0}).workspace_size);
}

TEST_CASE("The kernel does not depend on m or on threads") {
    for (const char *text :
         {"gemm f16 s4 g128 m1 n4096 k4096", "gemm f16 s4 g128 m8 n4096 k4096", "gemm f16 s4 g128 m4096 n4096 k4096"})
        for (const int32_t threads : {1, 2, 64})
            CHECK(plan(text, {Isa::Avx512Bf16, threads, 0}).number == 4);
}
