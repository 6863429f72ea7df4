// Which instances can run a problem.
#include "cuda/candidates.h"

#include "common/arith.h"
#include "common/error.h"

namespace marlin::cuda {

namespace {

// Whether an instance is made for weights like these.
bool takes_weights(const Instance &instance, const Problem &p) {
    const bool slab = instance.family == Family::Slab;
    const bool wgmma = instance.family == Family::Wgmma;
    const bool offsets = is_float(p.zero_type);
    const bool known_scales = p.scale_type == p.a_type || (p.a_type == Type::BF16 && (slab || wgmma));
    const bool symmetric = p.zero_type == Type::None && known_scales;
    if (is_symmetric(instance.weights))
        return symmetric && p.group_size == least_group(instance.weights);
    if (symmetric && p.group_size == 128) // the general 2:4 kernels too: some GPUs lack shared memory for the others
        return instance.weights == Weights::General && is_sparse(instance);
    const bool small_groups = p.group_size == 32 || p.group_size == 64;
    switch (instance.weights) {
    case Weights::Rows128:
        return slab ? p.group_size == 128 : !offsets && !small_groups;
    case Weights::Rows64:
        return p.group_size == 64 && (slab || !offsets);
    case Weights::Rows32:
        return p.group_size == 32 && !offsets;
    case Weights::Offsets128:
        return offsets && !small_groups;
    default:
        return !wgmma || (offsets && small_groups);
    }
}

} // namespace

bool fits(const Instance &instance, const Problem &p, const Limits &limits) {
    return has_code(instance, limits.compute_capability) && is_sparse(instance) == p.sparse &&
           instance.a_type == p.a_type && takes_weights(instance, p) &&
           instance.shared_size <= limits.shared_memory_per_block &&
           (instance.beside == 1 || p.m >= instance.tokens); // a part of the tokens each
}

const Instance &forced(const Problem &p, const Limits &limits, const Wishes &wishes,
                       std::span<const Instance *const> instances) {
    for (const Instance *instance : instances)
        if (instance->number == wishes.kernel) {
            if (!fits(*instance, p, limits))
                fail(Status::NotSupported, "kernel {} ({}) cannot run {}", wishes.kernel, instance->name, to_text(p));
            return *instance;
        }
    fail(Status::NotSupported, "MARLIN_OPTION_KERNEL is {}, which is no kernel of this device", wishes.kernel);
}

Launch slabs(const Instance &instance, const Problem &p, const Geometry &geometry, const Limits &limits) {
    Launch launch;
    launch.instance = &instance;
    const int64_t row_groups = geometry.n_packed() / kRowGroup;
    launch.groups_per_cta = static_cast<int32_t>(div_up(row_groups, limits.sm_count));
    launch.grid[0] = div_up(row_groups, launch.groups_per_cta);
    launch.grid[1] = div_up(p.m, instance.tokens);
    return launch;
}

} // namespace marlin::cuda
