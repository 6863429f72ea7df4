// Arguments and launches of the kernels that multiply.
#include "cuda/multiply.h"

#include <algorithm>
#include <array>

#include <cuda_runtime_api.h>

#include "cuda/candidates.h"
#include "cuda/check.h"
#include "cuda/kernel/gather.h"
#include "cuda/tensor_map.h"

namespace marlin::cuda {
namespace {

int32_t store_features(const Problem &p, const GemmOperands &operands) {
    const auto takes = [&](int64_t features) {
        return p.n % features == 0 && operands.ldc % features == 0 &&
               reinterpret_cast<uintptr_t>(operands.c) % static_cast<uintptr_t>(2 * features) == 0;
    };
    return p.c_type == Type::F32 ? 1 : takes(4) ? 4 : takes(2) ? 2 : 1;
}

W4A16Args make_args(const Problem &p, const GemmOperands &operands, const WeightsView &weights, const Launch &launch,
                    std::byte *workspace) {
    const Geometry &g = weights.geometry;
    const auto *body = reinterpret_cast<const uint8_t *>(weights.body);
    W4A16Args args = {};
    args.a = operands.a;
    args.lda = operands.lda;
    args.c = operands.c;
    args.ldc = operands.ldc;
    args.bias = operands.bias;
    args.body = body;
    args.column_size = g.runs * g.run_size;
    args.run_size = g.run_size;
    args.scales_offset = static_cast<int32_t>(g.codes_size);
    args.zeros_offset = static_cast<int32_t>(g.codes_size + g.scales_size);
    args.metadata_offset = static_cast<int32_t>(g.codes_size + g.scales_size + g.zeros_size);
    if (g.groups_in_run == 0) {
        args.column_scales = body + g.scales_apart;
        args.column_zeros = body + g.zeros_apart;
    }
    args.m = static_cast<int32_t>(p.m);
    args.n = static_cast<int32_t>(p.n);
    args.k = static_cast<int32_t>(p.k);
    args.runs = static_cast<int32_t>(g.runs);
    args.blocks_in_run = static_cast<int32_t>(g.run_k / 64);
    args.row_groups = static_cast<int32_t>(g.n_packed() / 16);
    args.groups_per_cta = launch.groups_per_cta;
    args.partition = launch.partition;
    args.sharers = launch.sharers;
    // Eight threads copy a row's part of a stage, the threads of a group as many rows side by side.
    args.a_step =
        launch.instance->k_groups > 0 ? launch.instance->threads / launch.instance->k_groups / 8 * operands.lda * 2 : 0;
    args.groups_in_run = static_cast<int32_t>(g.groups_in_run);
    args.zero_size = static_cast<int32_t>(size_of(p.zero_type));
    args.scale_type = p.scale_type;
    args.zero_type = p.zero_type;
    args.c_type = p.c_type;
    args.bias_type = p.bias_type == Type::None ? p.c_type : p.bias_type;
    args.store_features = store_features(p, operands);
    args.arrivals = reinterpret_cast<uint32_t *>(workspace);
    args.partials = reinterpret_cast<float *>(workspace + kArrivalsSize);
    return args;
}

// Bytes of shared memory behind an instance's own for a row that its CTAs gather: in the order of the weights, and as
// it lies, with a zero and the shift that its alignment asks for.
int64_t row_size(int64_t k_packed, int64_t k) {
    return 2 * (k_packed + k + 8);
}

void launch_kernel(const Launch &launch, W4A16Args args, cudaStream_t stream) {
    const Instance &instance = *launch.instance;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(static_cast<unsigned>(launch.grid[0]), static_cast<unsigned>(launch.grid[1]));
    config.blockDim = dim3(static_cast<unsigned>(instance.threads));
    config.dynamicSmemBytes =
        static_cast<size_t>(instance.shared_size + (args.gathers_row != 0 ? row_size(args.k, args.row_k) : 0));
    config.stream = stream;
    std::array<cudaLaunchAttribute, 2> attributes = {};
    config.attrs = attributes.data();
    if (args.begin != Begin::InTurn) {
        cudaLaunchAttribute &early = attributes[config.numAttrs++];
        early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
        early.val.programmaticStreamSerializationAllowed = 1;
    }
    if (const int32_t ctas = std::max(launch.sharers, instance.beside); ctas > 1) {
        cudaLaunchAttribute &cluster = attributes[config.numAttrs++];
        cluster.id = cudaLaunchAttributeClusterDimension;
        cluster.val.clusterDim = {static_cast<unsigned>(ctas), 1, 1};
    }
    TensorMap map;
    void *plain[] = {&args};
    void *mapped[] = {&map, &args};
    const bool maps = instance.family == Family::Wgmma;
    if (maps)
        map = box_map({args.a, args.k, args.m, args.lda}, std::min(args.m, instance.tokens) / instance.beside);
    check(cudaLaunchKernelExC(&config, instance.function, maps ? mapped : plain), instance.name);
}

// Whether the CTAs of a launch gather A by themselves: a single row costs them less than a kernel of its own.
bool gathers_row(const Launch &launch, const GatherArgs &gather, const Limits &limits) {
    return gather.m == 1 && launch.instance->family == Family::Slab && launch.instance->tokens == 8 &&
           launch.instance->shared_size + row_size(gather.k_packed, gather.k) <= limits.shared_memory_per_block;
}

void check_workspace(int64_t needed, const MultiplyContext &context) {
    if (context.workspace_size < needed)
        fail(Status::WorkspaceTooSmall, "workspace_size is {}, expected at least {} for this multiply",
             context.workspace_size, needed);
}

} // namespace

void prepare_kernels(const DeviceInfo &device) {
    for (const Instance *instance : instances())
        if (instance->shared_size <= device.shared_memory_per_block && has_code(*instance, device.compute_capability))
            check(
                cudaFuncSetAttribute(instance->function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     static_cast<int>(instance->family == Family::Slab ? device.shared_memory_per_block
                                                                                       : instance->shared_size)),
                instance->name);
    check(prepare_gather(device.shared_memory_per_block), "the gather of A");
}

KernelPlan plan_multiply(const Problem &problem, const WeightsView &weights, const MultiplyContext &context) {
    Problem p = problem;
    p.m = std::max<int64_t>(p.m, 1);
    const std::string reason = gather_reason(p);
    const Launch launch = choose(p, weights.geometry, context.limits, context.wishes, instances());
    KernelPlan plan;
    plan.kernel = launch.instance->name;
    plan.number = launch.instance->number;
    plan.tile_m = launch.instance->tokens;
    plan.tile_n = launch.instance->features;
    plan.tile_k = launch.instance->family == Family::Wgmma ? 128 : block_rows(*launch.instance);
    plan.stages = launch.instance->stages;
    plan.blocks = static_cast<int32_t>(launch.grid[0] * launch.grid[1]);
    plan.workspace_size =
        workspace_size(p, weights.geometry, context.limits, context.wishes, instances(), !reason.empty());
    plan.slow = !reason.empty() && !p.act_order;
    plan.why = plan.slow ? reason : std::string();
    return plan;
}

void run_multiply(const Problem &problem, const GemmOperands &operands, const WeightsView &weights,
                  const MultiplyContext &context) {
    auto *stream = static_cast<cudaStream_t>(context.stream);
    auto *workspace = static_cast<std::byte *>(context.workspace);
    const Geometry &geometry = weights.geometry;
    const auto chosen = [&](const Problem &p) -> const Launch & {
        return context.launches->choose(p, geometry, context.limits, context.wishes, instances());
    };
    const bool gathers = problem.act_order || problem.lda % 8 != 0 || reinterpret_cast<uintptr_t>(operands.a) % 16 != 0;
    if (!gathers) {
        const Launch &launch = chosen(problem);
        check_workspace(kArrivalsSize + launch.partials_size, context);
        W4A16Args args = make_args(problem, operands, weights, launch, workspace);
        if (context.dependent_launch)
            args.begin = Begin::BesideAny;
        launch_kernel(launch, args, stream);
        return;
    }
    check_workspace(workspace_size(problem, geometry, context.limits, context.wishes, instances(), true), context);
    const GatherPlan plan = plan_gather(problem, geometry, context.limits, instances());
    std::byte *gathered = workspace + kArrivalsSize;
    for (int64_t row = 0; row < problem.m; row += plan.rows) {
        Problem part = problem;
        part.m = std::min(plan.rows, problem.m - row);
        part.k = geometry.shape.k_packed;
        GemmOperands of_part = operands;
        of_part.a = gathered;
        of_part.lda = geometry.shape.k_packed;
        of_part.c = static_cast<std::byte *>(operands.c) + row * operands.ldc * size_of(problem.c_type);
        GatherArgs gather = {};
        gather.to = gathered;
        gather.from = static_cast<const std::byte *>(operands.a) + row * operands.lda * size_of(problem.a_type);
        gather.perm = weights.perm;
        gather.lda = operands.lda;
        gather.m = static_cast<int32_t>(part.m);
        gather.k = static_cast<int32_t>(problem.k);
        gather.k_packed = static_cast<int32_t>(geometry.shape.k_packed);
        const Launch &launch = chosen(part);
        W4A16Args args = make_args(part, of_part, weights, launch, workspace);
        if (gathers_row(launch, gather, context.limits)) {
            args.gathers_row = 1;
            args.a = gather.from;
            args.row_k = gather.k;
            args.perm = gather.perm;
            launch_kernel(launch, args, stream);
            continue;
        }
        check(launch_gather(gather, context.limits.shared_memory_per_block, stream), "the gather of A");
        args.partials = reinterpret_cast<float *>(gathered + plan.size);
        if (context.early_launches)
            args.begin = Begin::BesideGather;
        launch_kernel(launch, args, stream);
    }
}

} // namespace marlin::cuda
