// The choice of kernel and partition by models of their times (docs/kernel.md).
#include "cuda/heuristics.h"

#include <algorithm>

#include "common/arith.h"
#include "common/error.h"
#include "cuda/candidates.h"
#include "cuda/slab_model.h"
#include "cuda/sparse_heuristics.h"
#include "cuda/stripe_model.h"

namespace marlin::cuda {
namespace {

constexpr int64_t kWorkspaceSection = 256; // alignment of what lies in a workspace

Launch slab_launch(const Instance &instance, const Problem &p, const Geometry &geometry, const Limits &limits,
                   const Wishes &wishes) {
    Launch launch = slabs(instance, p, geometry, limits);
    // The choice among batch-invariant slabs must not depend on the batch.
    const int64_t tokens =
        wishes.math == Math::BatchInvariant ? instance.tokens : std::min<int64_t>(p.m, instance.tokens);
    const Slab slab = {launch.groups_per_cta, tokens, p.k, p.group_size};
    launch.cost = static_cast<double>(launch.grid[1]) * slab_cost(instance, slab);
    return launch;
}

// Whether a slab of so many tokens makes sense for m rows: the narrowest that takes all. A row's sum is the same in
// every batch only in the same instance of a slab.
bool right_slab(const Instance &instance, const Problem &p, const Wishes &wishes) {
    if (wishes.math == Math::BatchInvariant)
        return instance.tokens == 32;
    return instance.tokens >= p.m && (instance.tokens == 8 || instance.tokens < 2 * p.m);
}

// The order in which batch-invariant kernels of a problem add up, whatever m: that of the largest tile. 0: there are
// none.
int32_t invariant_order(const Problem &p, const Limits &limits, std::span<const Instance *const> instances) {
    const Instance *largest = nullptr;
    for (const Instance *instance : instances)
        if (instance->order != 0 && fits(*instance, p, limits) &&
            (largest == nullptr || instance->tokens > largest->tokens))
            largest = instance;
    return largest == nullptr ? 0 : largest->order;
}

} // namespace

Launch choose(const Problem &p, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
              std::span<const Instance *const> instances) {
    if (p.a_type == Type::F32)
        fail(Status::NotSupported, "desc.a_type is 3 (f32), which CUDA kernels do not take, expected f16 or bf16");
    if (p.sparse)
        return choose_sparse(p, geometry, limits, wishes, instances);
    const bool invariant = wishes.math == Math::BatchInvariant;
    Launch best;
    const auto consider = [&](const Instance &instance) {
        const bool slab = instance.family == Family::Slab;
        const Launch launch = slab ? slab_launch(instance, p, geometry, limits, wishes)
                                   : best_stripes(instance, p, geometry, limits, invariant);
        if (launch.instance != nullptr && launch.grid[1] <= kMaxGridY &&
            (best.instance == nullptr || launch.cost < best.cost))
            best = launch;
    };
    if (wishes.kernel != 0) {
        consider(forced(p, limits, wishes, instances));
    } else {
        const int32_t order = invariant ? invariant_order(p, limits, instances) : 0;
        const auto may_be_right = [&](const Instance &instance) {
            if (order != 0)
                return instance.order == order;
            return instance.family == Family::Slab ? right_slab(instance, p, wishes) : !invariant;
        };
        for (const Instance *instance : instances)
            if (may_be_right(*instance) && fits(*instance, p, limits))
                consider(*instance);
    }
    if (best.instance == nullptr)
        fail(Status::NotSupported, "no CUDA kernel takes {} with {} bytes of shared memory a block", to_text(p),
             limits.shared_memory_per_block);
    return best;
}

std::string gather_reason(const Problem &p) {
    if (p.act_order)
        return "act-order: A is gathered first";
    if (p.lda % 8 != 0)
        return fmt::format("lda is {}, no multiple of 8: A is copied first", p.lda);
    return {};
}

GatherPlan plan_gather(const Problem &problem, const Geometry &geometry, const Limits &limits,
                       std::span<const Instance *const> instances) {
    // Every chunk costs a launch and tiles that do not divide the SMs, so a gather gets all that stripes never take.
    int64_t partials = 0;
    for (const Instance *instance : instances)
        partials = std::max(partials, 2 * held_at_once(*instance, limits) * instance->partial_size);
    const int64_t room = std::max(kGatherSize, kDefaultWorkspace - kArrivalsSize - partials);
    const int64_t row_size = geometry.shape.k_packed * 2;
    const int64_t most = std::min(room / row_size, kMaxGridY);
    if (most < 1)
        fail(Status::NotSupported, "k is {} as packed: one row of A exceeds the {} bytes that a gather may use",
             geometry.shape.k_packed, room);
    GatherPlan plan;
    plan.rows = std::clamp<int64_t>(problem.m, 1, most);
    if (problem.m > most) {
        // Even chunks of whole tiles.
        const int64_t tiled = round_up(div_up(problem.m, div_up(problem.m, most)), 128);
        plan.rows = tiled <= most ? tiled : most >= 128 ? most / 128 * 128 : most;
    }
    plan.size = round_up(plan.rows * row_size, kWorkspaceSection);
    return plan;
}

int64_t workspace_size(const Problem &problem, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
                       std::span<const Instance *const> instances, bool gathers) {
    if (!gathers)
        return kArrivalsSize + choose(problem, geometry, limits, wishes, instances).partials_size;
    const GatherPlan gather = plan_gather(problem, geometry, limits, instances);
    int64_t partials = 0;
    for (const int64_t chunk : {std::min(problem.m, gather.rows), problem.m % gather.rows}) {
        if (chunk == 0)
            continue;
        Problem part = problem;
        part.m = chunk;
        partials = std::max(partials, choose(part, geometry, limits, wishes, instances).partials_size);
    }
    return kArrivalsSize + gather.size + partials;
}

} // namespace marlin::cuda
