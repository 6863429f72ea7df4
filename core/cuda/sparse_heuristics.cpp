// The choice of kernel for 2:4 weights, with the measurements behind it (H200, us, groups of 128).
#include "cuda/sparse_heuristics.h"

#include "common/arith.h"
#include "common/error.h"
#include "cuda/candidates.h"
#include "cuda/stripe_model.h"

namespace marlin::cuda {
namespace {

// More rows get stripes (8192 x 8192 M = 64 22.8), half as many slabs; between the two what the models favour.
constexpr int64_t kSlabTokens = 32;

// The model of slabs of so many tokens.
constexpr double kPass = 1.0;            // the sum over the warps
constexpr double kGroupRow = 1.2 / 4096; // a row group of a pass, for each row of k

// Better: tokens for all m rows with none too many, else the most; then what knows the weights best; then the passes
// that waste least, where a pass costs about one row group more than it has (4096 x 4096 M = 1: 5.0 in passes of 4 row
// groups, 4.1 of 2); then the most warps.
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

// Without an instance where none fits.
Launch best_slabs(const Problem &p, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
                  std::span<const Instance *const> instances) {
    // A row's sum is the same in every batch only in the same instance.
    const int64_t m = wishes.math == Math::BatchInvariant ? kSlabTokens : p.m;
    const int64_t groups = div_up(geometry.n_packed() / kRowGroup, limits.sm_count); // of a CTA
    const Instance *best = nullptr;
    for (const Instance *instance : instances)
        if (instance->family == Family::SparseSlab && fits(*instance, p, limits) &&
            (best == nullptr || is_better(*instance, *best, m, groups)))
            best = instance;
    if (best == nullptr)
        return {};
    Launch launch = slabs(*best, p, geometry, limits);
    const int64_t of_pass = best->features / kRowGroup;
    const double passes = static_cast<double>(div_up(launch.groups_per_cta, of_pass) * launch.grid[1]);
    launch.cost = kModelLaunch + passes * (kPass + static_cast<double>((of_pass + 1) * p.k) * kGroupRow);
    return launch;
}

// Without an instance where no stripes fit.
Launch cheapest_stripes(const Problem &p, const Geometry &geometry, const Limits &limits,
                        std::span<const Instance *const> instances) {
    Launch best;
    for (const Instance *instance : instances) {
        if (instance->family != Family::SparseStripe || !fits(*instance, p, limits))
            continue;
        const Launch launch = best_stripes(*instance, p, geometry, limits);
        if (launch.instance != nullptr && (best.instance == nullptr || launch.cost < best.cost))
            best = launch;
    }
    return best;
}

} // namespace

Launch choose_sparse(const Problem &p, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
                     std::span<const Instance *const> instances) {
    Launch launch;
    if (wishes.kernel != 0) {
        const Instance &instance = forced(p, limits, wishes, instances);
        launch = instance.family == Family::SparseStripe ? best_stripes(instance, p, geometry, limits)
                                                         : slabs(instance, p, geometry, limits);
    } else {
        if (wishes.math != Math::BatchInvariant && p.m > kSlabTokens / 2)
            launch = cheapest_stripes(p, geometry, limits, instances);
        if (p.m <= kSlabTokens || launch.instance == nullptr) {
            const Launch slab = best_slabs(p, geometry, limits, wishes, instances);
            if (launch.instance == nullptr || (slab.instance != nullptr && slab.cost < launch.cost))
                launch = slab;
        }
        if (launch.instance == nullptr)
            fail(Status::NotSupported, "no CUDA kernel takes {} with {} bytes of shared memory a block", to_text(p),
                 limits.shared_memory_per_block);
    }
    if (launch.instance == nullptr || launch.grid[1] > kMaxGridY)
        fail(Status::NotSupported, "{} needs more blocks than CUDA takes", to_text(p));
    return launch;
}

} // namespace marlin::cuda
