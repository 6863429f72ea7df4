// The choice of kernel, tile and split, with the measurements behind it (H200, us, groups of 128).
#include "cuda/heuristics.h"

#include <algorithm>

#include "common/arith.h"
#include "common/error.h"

namespace marlin::cuda {
namespace {

constexpr int64_t kRowGroup = 16; // features of a row group
constexpr int64_t kMaxSplits = 8;
constexpr int64_t kRunsOfSplit = 8; // a split shorter than this costs more to sum up than it saves
constexpr int64_t kMaxGridY = 65535;

Weights weights_of(const Problem &p) {
    if (is_float(p.zero_type))
        return Weights::Offsets;
    return p.zero_type == Type::None && p.group_size == 128 && p.scale_type == p.a_type ? Weights::Group128
                                                                                        : Weights::Integers;
}

bool fits(const Instance &instance, const Problem &p, const Limits &limits) {
    return instance.a_type == p.a_type && instance.weights == weights_of(p) &&
           instance.shared_size <= limits.shared_memory_per_block;
}

// Row groups that every CTA owns when all SMs share them.
int64_t groups_per_cta(const Geometry &geometry, const Limits &limits) {
    return div_up(geometry.n_packed() / kRowGroup, limits.sm_count);
}

// The slab for so many tokens whose passes waste least; a pass costs about one row group more than it has.
const Instance *find_slab(const Problem &p, const Geometry &geometry, const Limits &limits, int64_t tokens,
                          std::span<const Instance *const> instances) {
    const Instance *best = nullptr;
    int64_t best_cost = 0;
    for (const Instance *instance : instances) {
        if (instance->family != Family::Slab || instance->tokens != tokens || !fits(*instance, p, limits))
            continue;
        const int64_t row_groups = instance->features / kRowGroup;
        const int64_t cost = div_up(groups_per_cta(geometry, limits), row_groups) * (row_groups + 1);
        if (best == nullptr || cost < best_cost || (cost == best_cost && instance->features > best->features)) {
            best = instance;
            best_cost = cost;
        }
    }
    return best;
}

// The widest tile of at most so many tokens, else the narrowest of more.
const Instance *find_tile(const Problem &p, const Limits &limits, int64_t tokens,
                          std::span<const Instance *const> instances) {
    const Instance *best = nullptr;
    for (const Instance *instance : instances) {
        if (instance->family != Family::Tile || !fits(*instance, p, limits))
            continue;
        const auto rank = [&](const Instance &i) { return i.tokens <= tokens ? i.tokens : tokens - i.tokens; };
        if (best == nullptr || rank(*instance) > rank(*best))
            best = instance;
    }
    return best;
}

// Tokens of a slab for m rows: the narrowest that takes all, at most 32.
int64_t slab_tokens(int64_t m) {
    return m <= 8 ? 8 : m <= 16 ? 16 : 32;
}

// Slabs win while the activations that every CTA reads stay few: 8192 x 8192 M = 32 20.5 against 26.7 for tiles,
// 28672 x 4096 42 against 37; M = 64 41 against 42 and 84 against 57.
bool wants_slab(const Problem &p, const Wishes &wishes) {
    if (wishes.math == Math::BatchInvariant || p.m <= 16)
        return true;
    return p.m <= 32 ? p.n <= 16384 : p.m <= 64 && p.n <= 8192 && p.k <= 8192;
}

const Instance *pick(const Problem &p, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
                     std::span<const Instance *const> instances) {
    if (wants_slab(p, wishes)) {
        // A row's sum is the same in every batch only in the same instance.
        const int64_t tokens = wishes.math == Math::BatchInvariant ? 32 : slab_tokens(p.m);
        for (int64_t t = tokens; t >= 8; t /= 2) {
            if (const Instance *slab = find_slab(p, geometry, limits, t, instances))
                return slab;
            if (wishes.math == Math::BatchInvariant)
                break;
        }
    }
    // Wide tiles convert a weight for more tokens, narrow ones fill the SMs: 8192 x 8192 M = 128 67 with 128 tokens and
    // 63 with 64, M = 256 96 and 107.
    const int64_t wide_tiles = div_up(p.m, 128) * div_up(p.n, 256);
    const int64_t tokens = p.m <= 32 ? 32 : p.m <= 64 || wide_tiles < limits.sm_count / 3 ? 64 : 128;
    return find_tile(p, limits, tokens, instances);
}

const Instance *forced(const Problem &p, const Limits &limits, const Wishes &wishes,
                       std::span<const Instance *const> instances) {
    for (const Instance *instance : instances)
        if (instance->number == wishes.kernel) {
            if (!fits(*instance, p, limits))
                fail(Status::NotSupported, "kernel {} ({}) cannot run {}", wishes.kernel, instance->name, to_text(p));
            return instance;
        }
    fail(Status::NotSupported, "MARLIN_OPTION_KERNEL is {}, which is no dense kernel of this device", wishes.kernel);
}

} // namespace

Launch choose(const Problem &p, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
              std::span<const Instance *const> instances) {
    if (p.a_type == Type::F32)
        fail(Status::NotSupported, "desc.a_type is 3 (f32), which CUDA kernels do not take, expected f16 or bf16");
    Launch launch;
    launch.instance =
        wishes.kernel != 0 ? forced(p, limits, wishes, instances) : pick(p, geometry, limits, wishes, instances);
    if (launch.instance == nullptr)
        fail(Status::NotSupported, "no CUDA kernel for {} fits the {} bytes of shared memory of a block", to_text(p),
             limits.shared_memory_per_block);
    const Instance &instance = *launch.instance;
    if (instance.family == Family::Slab) {
        launch.groups_per_cta = static_cast<int32_t>(groups_per_cta(geometry, limits));
        launch.grid[0] = div_up(geometry.n_packed() / kRowGroup, launch.groups_per_cta);
        launch.grid[1] = div_up(p.m, instance.tokens);
    } else {
        launch.grid[0] = div_up(p.m, instance.tokens);
        launch.grid[1] = div_up(p.n, instance.features);
        const int64_t tiles = launch.grid[0] * launch.grid[1];
        const int64_t room = std::min({limits.sm_count / tiles, kMaxSplits, geometry.runs / kRunsOfSplit});
        launch.k_splits = static_cast<int32_t>(std::max<int64_t>(1, room));
        launch.grid[2] = launch.k_splits;
        if (launch.k_splits > 1)
            launch.partials_size = tiles * launch.k_splits * instance.partial_size;
    }
    if (launch.grid[1] > kMaxGridY)
        fail(Status::NotSupported, "{} needs {} blocks in one direction, CUDA takes {}", to_text(p), launch.grid[1],
             kMaxGridY);
    return launch;
}

std::string gather_reason(const Problem &p) {
    if (p.act_order)
        return "act-order: A is gathered first";
    if (p.lda % 8 != 0)
        return fmt::format("lda is {}, no multiple of 8: A is copied first", p.lda);
    return {};
}

int64_t gather_rows(const Geometry &geometry) {
    // A slab of 8 tokens takes 65535 * 8 rows: far more than this.
    const int64_t rows = kGatherSize / (geometry.shape.k_packed * 2);
    if (rows < 1)
        fail(Status::NotSupported, "k is {} as packed: one row of A exceeds the {} bytes that a gather may use",
             geometry.shape.k_packed, kGatherSize);
    return std::min(rows, kMaxGridY);
}

int64_t workspace_size(const Problem &problem, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
                       std::span<const Instance *const> instances, bool gathers) {
    if (!gathers)
        return kArrivalsSize + choose(problem, geometry, limits, wishes, instances).partials_size;
    const int64_t rows = gather_rows(geometry);
    int64_t partials = 0;
    for (const int64_t chunk : {std::min(problem.m, rows), problem.m % rows}) {
        if (chunk == 0)
            continue;
        Problem part = problem;
        part.m = chunk;
        partials = std::max(partials, choose(part, geometry, limits, wishes, instances).partials_size);
    }
    return kArrivalsSize + kGatherSize + partials;
}

} // namespace marlin::cuda
