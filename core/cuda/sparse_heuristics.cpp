// The choice of kernel for 2:4 weights, with the measurements behind it (H200, us, groups of 128).
#include "cuda/sparse_heuristics.h"

#include <algorithm>

#include "common/arith.h"
#include "common/error.h"
#include "cuda/stripe_model.h"

namespace marlin::cuda {
namespace {

constexpr int64_t kRowGroup = 16; // features of a row group
constexpr int64_t kMaxGridY = 65535;
// More rows get stripes (28672 x 4096 M = 32 25.6 against 25.2 for slabs, 8192 x 8192 M = 64 22.8).
constexpr int64_t kSlabTokens = 32;

bool fits(const Instance &instance, const Problem &p, const Limits &limits) {
    const bool group128 = p.zero_type == Type::None && p.group_size == 128 && p.scale_type == p.a_type;
    return (instance.family == Family::SparseSlab || instance.family == Family::SparseStripe) &&
           instance.a_type == p.a_type && (instance.weights == Weights::General || group128) &&
           instance.shared_size <= limits.shared_memory_per_block;
}

// Row groups that every CTA owns when all SMs share them.
int64_t groups_per_cta(const Geometry &geometry, const Limits &limits) {
    return div_up(geometry.n_packed() / kRowGroup, limits.sm_count);
}

// Better: tokens for all m rows with none too many, else the most; then what knows the weights best; then the passes
// that waste least, where a pass costs about one row group more than it has (4096 x 4096 M = 1: 5.0 in passes of 4 row
// groups, 4.1 of 2; 28672 x 4096 M = 32: 30.5 of 4, 25.2 of 16); then the most warps.
bool is_better(const Instance &one, const Instance &other, int64_t m, int64_t groups) {
    if (one.tokens != other.tokens) {
        if (one.tokens < m || other.tokens < m)
            return one.tokens > other.tokens;
        return one.tokens < other.tokens;
    }
    if (one.weights != other.weights)
        return one.weights == Weights::Group128;
    const auto cost = [&](const Instance &instance) {
        const int64_t of_pass = instance.features / kRowGroup;
        return div_up(groups, of_pass) * (of_pass + 1);
    };
    return cost(one) != cost(other) ? cost(one) < cost(other) : one.threads > other.threads;
}

const Instance *pick(const Problem &p, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
                     std::span<const Instance *const> instances) {
    // A row's sum is the same in every batch only in the same instance.
    const int64_t m = wishes.math == Math::BatchInvariant ? 32 : p.m;
    const Instance *best = nullptr;
    for (const Instance *instance : instances)
        if (instance->family == Family::SparseSlab && fits(*instance, p, limits) &&
            (best == nullptr || is_better(*instance, *best, m, groups_per_cta(geometry, limits))))
            best = instance;
    if (best == nullptr)
        fail(Status::NotSupported, "no CUDA kernel for {} fits the {} bytes of shared memory of a block", to_text(p),
             limits.shared_memory_per_block);
    return best;
}

const Instance *forced(const Problem &p, const Limits &limits, const Wishes &wishes,
                       std::span<const Instance *const> instances) {
    for (const Instance *instance : instances)
        if (instance->number == wishes.kernel) {
            if (!fits(*instance, p, limits))
                fail(Status::NotSupported, "kernel {} ({}) cannot run {}", wishes.kernel, instance->name, to_text(p));
            return instance;
        }
    fail(Status::NotSupported, "MARLIN_OPTION_KERNEL is {}, which is no kernel of this device", wishes.kernel);
}

} // namespace

Launch choose_sparse(const Problem &p, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
                     std::span<const Instance *const> instances) {
    const bool wants_stripes = wishes.kernel == 0 && wishes.math != Math::BatchInvariant && p.m > kSlabTokens;
    Launch launch;
    for (const Instance *instance : instances) {
        if (instance->family != Family::SparseStripe || !fits(*instance, p, limits) ||
            !(wants_stripes || instance->number == wishes.kernel))
            continue;
        const Launch stripes = best_stripes(*instance, p, geometry, limits);
        if (stripes.instance != nullptr && (launch.instance == nullptr || stripes.cost < launch.cost))
            launch = stripes;
    }
    if (launch.instance != nullptr)
        return launch;
    launch.instance =
        wishes.kernel != 0 ? forced(p, limits, wishes, instances) : pick(p, geometry, limits, wishes, instances);
    const Instance &instance = *launch.instance;
    launch.groups_per_cta = static_cast<int32_t>(groups_per_cta(geometry, limits));
    launch.grid[0] = div_up(geometry.n_packed() / kRowGroup, launch.groups_per_cta);
    launch.grid[1] = div_up(p.m, instance.tokens);
    if (launch.grid[1] > kMaxGridY)
        fail(Status::NotSupported, "{} needs {} blocks in one direction, CUDA takes {}", to_text(p), launch.grid[1],
             kMaxGridY);
    return launch;
}

} // namespace marlin::cuda
