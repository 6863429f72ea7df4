// Which instances can run a problem.
#include "cuda/candidates.h"

#include "common/arith.h"
#include "common/error.h"

namespace marlin::cuda {

bool fits(const Instance &instance, const Problem &p, const Limits &limits) {
    const bool sparse = is_sparse(instance);
    const bool slab_or_wgmma = instance.family == Family::Slab || instance.family == Family::Wgmma;
    const bool known_scales = p.scale_type == p.a_type || (p.a_type == Type::BF16 && slab_or_wgmma);
    const bool group128 = p.zero_type == Type::None && p.group_size == 128 && known_scales;
    const bool rows128 = p.group_size == 128 || p.group_size == kGroupPerColumn;
    Weights known = Weights::General;
    if (group128)
        known = Weights::Group128;
    else if (instance.family == Family::Slab)
        known = p.group_size == 128 ? Weights::Rows128 : p.group_size == 64 ? Weights::Rows64 : Weights::General;
    else if (instance.family == Family::Wgmma && p.group_size != 32) {
        if (is_float(p.zero_type))
            known = rows128 ? Weights::Offsets128 : Weights::General;
        else
            known = rows128 ? Weights::Rows128 : Weights::Rows64;
    }
    // The general 2:4 kernels also serve groups of 128, where the others want more shared memory than there is, and
    // general slabs any weights that have no slab of that size of their own.
    const bool anyway =
        instance.weights == Weights::General && (sparse || (instance.family == Family::Slab && !group128));
    const bool knows_weights = instance.weights == known || anyway;
    return has_code(instance, limits.compute_capability) && sparse == p.sparse && instance.a_type == p.a_type &&
           knows_weights && instance.shared_size <= limits.shared_memory_per_block &&
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
