// What a plan says of the CUDA kernels; planning needs no GPU.
#include <string>
#include <string_view>

#include "common/error.h"
#include "cuda/kernel/instance.h"
#include "cuda/multiply.h"
#include "numerics/cuda_run.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::test;

TEST_CASE("A plan gives the tile of every CUDA kernel, in logical rows of k") {
    for (const cuda::Instance *instance : cuda::instances()) {
        const bool sparse = std::string_view(instance->name).find("_sp_") != std::string_view::npos;
        const std::string format = fmt::format(
            "{} g{}{}", cuda::is_symmetric(instance->weights) ? "s4" : "u4", cuda::least_group(instance->weights),
            instance->weights == cuda::Weights::Offsets128 || instance->weights == cuda::Weights::General ? " zf16"
                                                                                                          : "");
        const Problem problem =
            from_text(fmt::format("{0} {1} {2} s{1} m{3} n256 k1024", sparse ? "sp_gemm" : "gemm",
                                  to_string(instance->a_type), format, instance->beside > 1 ? instance->tokens : 8));
        const test::Weights weights = make_weights(problem, cuda_layout(problem), Fill::Arange, 1);
        cuda::MultiplyContext context;
        context.limits = {132, 232448, 90};
        context.wishes.kernel = instance->number;
        const KernelPlan plan = cuda::plan_multiply(problem, weights.view, context);
        INFO(instance->name);
        CHECK(std::string_view(plan.kernel) == instance->name);
        CHECK(plan.number == instance->number);
        CHECK(plan.tile_m == instance->tokens);
        CHECK(plan.tile_n == instance->features);
        const bool hopper = instance->family == cuda::Family::Wgmma;
        CHECK(plan.tile_k == (sparse || hopper ? 128 : 64));
        CHECK(plan.stages == instance->stages);
        CHECK(plan.blocks > 0);
    }
}

TEST_CASE(
    "CUDA kernels that want more shared memory than GPUs before 9.0 have, and only they, have no code for those") {
    for (const cuda::Instance *instance : cuda::instances()) {
        INFO(instance->name << " wants " << instance->shared_size << " bytes");
        const bool large = instance->family == cuda::Family::Wgmma || instance->shared_size > cuda::kSharedSizeBefore90;
        CHECK(instance->capability == (large ? 90 : 80));
    }
}
