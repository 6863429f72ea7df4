// The choice among CPU kernels, and its reasons in words.
#include "cpu/heuristics.h"

#include <algorithm>

#include "common/error.h"
#include "cpu/partition.h"

namespace marlin::cpu {
namespace {

const Kernel *kernel_for(Isa isa, bool sparse) {
    switch (isa) {
    case Isa::Avx2:
        return sparse ? &kernel_avx2_24 : &kernel_avx2;
    case Isa::Avx512:
        return sparse ? &kernel_avx512_24 : &kernel_avx512;
    case Isa::Avx512Bf16:
        return sparse ? &kernel_avx512_bf16_24 : &kernel_avx512_bf16;
    default:
        return nullptr;
    }
}

// The forced kernel, or a sentence about what could have been forced.
const Kernel *forced_kernel(const Geometry &geometry, const CpuConfig &config) {
    const Kernel *best = nullptr;
    for (int32_t isa = static_cast<int32_t>(Isa::Avx2); isa <= static_cast<int32_t>(config.isa); ++isa) {
        const Kernel *kernel = kernel_for(static_cast<Isa>(isa), geometry.sparse());
        if (!is_cpu(geometry.shape.layout))
            break;
        if (kernel->number == config.kernel)
            return kernel;
        best = kernel;
    }
    fail(Status::NotSupported, "kernel is {}, expected 0, 1 (cpu_reference){} for {} weights of layout {} on {}",
         config.kernel, best == nullptr ? std::string() : fmt::format(" or at most {} ({})", best->number, best->name),
         geometry.sparse() ? "2:4" : "dense", to_string(geometry.shape.layout), to_string(config.isa));
}

std::string reason(const Choice &choice, const Geometry &geometry) {
    switch (choice.fallback) {
    case Fallback::Asked:
        return "kernel 1 or instruction set 1 (reference) was asked for";
    case Fallback::Isa:
        return "this machine has no AVX2 with FMA and F16C";
    case Fallback::Layout:
        return fmt::format("layout is {}, expected {} for the CPU's own kernels", to_string(geometry.shape.layout),
                           to_string(geometry.sparse() ? Layout::CpuSparse24Draft : Layout::CpuDraft));
    case Fallback::RowTooLong:
        return fmt::format("k is {} as packed: one row of A re-packed exceeds a workspace of {} bytes",
                           geometry.shape.k_packed, kDefaultWorkspace);
    case Fallback::None:
        break;
    }
    return {};
}

} // namespace

Choice choose(const Problem &problem, const Geometry &geometry, const CpuConfig &config) {
    Choice choice;
    if (config.kernel == kReferenceNumber) {
        choice.fallback = Fallback::Asked;
        return choice;
    }
    const Kernel *kernel =
        config.kernel != 0 ? forced_kernel(geometry, config) : kernel_for(config.isa, geometry.sparse());
    if (!is_cpu(geometry.shape.layout)) {
        choice.fallback = Fallback::Layout;
        return choice;
    }
    if (kernel == nullptr) {
        choice.fallback = machine_isa() == Isa::Reference ? Fallback::Isa : Fallback::Asked;
        return choice;
    }
    const int64_t k = geometry.shape.k_packed;
    choice.rows = kernel->rows[static_cast<int32_t>(problem.a_type) - static_cast<int32_t>(Type::F16)];
    choice.block_k = geometry.groups_in_run == 0 ? geometry.run_k : geometry.shape.group_size;
    // 2:4 columns sum the activations that each has kept on their own.
    if (!geometry.sparse() && geometry.shape.zero_type != Type::None)
        choice.sums_row_size = k / choice.block_k * static_cast<int64_t>(sizeof(float));
    choice.row_size = k * choice.rows.bytes_per_k + choice.sums_row_size;
    if (choice.row_size > kDefaultWorkspace) {
        choice.fallback = Fallback::RowTooLong;
        return choice;
    }
    choice.kernel = kernel;
    const int64_t rows = std::min<int64_t>({problem.m, kRowsPerItem, kDefaultWorkspace / choice.row_size});
    choice.workspace_size = rows * choice.row_size;
    return choice;
}

KernelPlan describe(const Choice &choice, const Problem &problem, const Geometry &geometry, const CpuConfig &config) {
    KernelPlan plan;
    if (choice.kernel == nullptr) {
        plan.kernel = kReferenceName;
        plan.number = kReferenceNumber;
        plan.tile_m = kReferenceRows;
        plan.tile_n = 1;
        plan.tile_k = 1;
        plan.stages = 1;
        plan.blocks = static_cast<int32_t>(std::min<int64_t>(problem.n, INT32_MAX));
        plan.slow = true;
        plan.why = reason(choice, geometry);
        return plan;
    }
    const int64_t wave_rows = std::min(problem.m, kDefaultWorkspace / choice.row_size);
    const Partition partition(wave_rows, choice.rows.max_rows, geometry.columns, config.threads);
    plan.kernel = choice.kernel->name;
    plan.number = choice.kernel->number;
    plan.tile_m = static_cast<int32_t>(partition.block_rows(0));
    plan.tile_n = kColumnFeatures;
    plan.tile_k = static_cast<int32_t>(choice.block_k);
    plan.stages = 1;
    plan.blocks = static_cast<int32_t>(std::min<int64_t>(partition.items(), INT32_MAX));
    plan.workspace_size = choice.workspace_size;
    return plan;
}

} // namespace marlin::cpu
