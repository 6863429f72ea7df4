// The choice of kernel and partition by a model of their times, fitted to an H200 with groups of 128 (docs/kernel.md).
#include "cuda/heuristics.h"

#include <algorithm>
#include <limits>

#include "common/arith.h"
#include "common/error.h"
#include "cuda/sparse_heuristics.h"

namespace marlin::cuda {
namespace {

constexpr int64_t kRowGroup = 16; // features of a row group
constexpr int64_t kBlock = 64;    // rows of a block
constexpr int64_t kMaxGridY = 65535;

// ---- The model: microseconds, on 132 SMs
// ------------------------------------------------------------------------------
constexpr double kModelSms = 132.0;
constexpr double kLaunch = 2.0;        // a kernel that does nothing much
constexpr double kFill = 1.5;          // until the first tile of a stripe flows
constexpr double kSegment = 0.8;       // the sum over the groups of warps and C, once more
constexpr double kExchange = 2.5;      // partial sums through L2 and a counter
constexpr double kPartialBytes = 8e4;  // a microsecond, read by the CTA that adds up
constexpr double kPassPenalty = 1.2;   // slabs of several passes
constexpr double kSlabBytes = 5.6e6;   // a microsecond, weights and activations from L2
constexpr double kStripeBytes = 3.3e6; // a microsecond, weights alone

// Operations a microsecond (times 1e6: TFLOP/s) of all SMs in the loop over k, measured at large k.
double sustained(const Instance &instance) {
    switch (instance.tokens) {
    case 16:
        return 200e6;
    case 32:
        return instance.features >= 256 ? 305e6 : 290e6;
    case 48:
        return 335e6;
    case 64:
        return instance.k_groups >= 4 ? 355e6 : 370e6;
    case 96:
        return 395e6;
    default:
        return instance.features >= 256 ? 435e6 : 395e6;
    }
}

Weights weights_of(const Problem &p) {
    return p.zero_type == Type::None && p.group_size == 128 && p.scale_type == p.a_type ? Weights::Group128
                                                                                        : Weights::General;
}

bool fits(const Instance &instance, const Problem &p, const Limits &limits) {
    return instance.family != Family::SparseSlab && instance.a_type == p.a_type && instance.weights == weights_of(p) &&
           instance.shared_size <= limits.shared_memory_per_block;
}

Launch slab_launch(const Instance &instance, const Problem &p, const Geometry &geometry, const Limits &limits) {
    Launch launch;
    launch.instance = &instance;
    const int64_t row_groups = geometry.n_packed() / kRowGroup;
    launch.groups_per_cta = static_cast<int32_t>(div_up(row_groups, limits.sm_count));
    launch.grid[0] = div_up(row_groups, launch.groups_per_cta);
    launch.grid[1] = div_up(p.m, instance.tokens);
    // A pass costs about one row group more than it has.
    const int64_t of_pass = instance.features / kRowGroup;
    const int64_t passes = div_up(launch.groups_per_cta, of_pass);
    const double waste = static_cast<double>(passes * (of_pass + 1)) / (launch.groups_per_cta + 1);
    const double activations = static_cast<double>(launch.grid[0] * passes * instance.tokens) * p.k * 2;
    const double bytes = static_cast<double>(geometry.body_size) * waste + activations;
    launch.cost = kLaunch + bytes / kSlabBytes * static_cast<double>(launch.grid[1]) * kModelSms / limits.sm_count *
                                (passes > 1 ? kPassPenalty : 1.0);
    return launch;
}

// Tiles over CTAs: `striped` of them cut into stripes.
Launch stripe_launch(const Instance &instance, const Problem &p, const Geometry &geometry, const Limits &limits,
                     int64_t ctas, int64_t striped) {
    Launch launch;
    launch.instance = &instance;
    const int64_t feature_tiles = div_up(p.n, instance.features);
    const int64_t token_tiles = div_up(p.m, instance.tokens);
    const int64_t units = div_up(geometry.shape.k_packed / kBlock, instance.k_groups);
    const int64_t tiles = feature_tiles * token_tiles;
    launch.grid[0] = ctas;
    launch.partition = Partition(feature_tiles, token_tiles, units, striped, ctas);
    launch.partials_size = striped > 0 ? 2 * ctas * instance.partial_size : 0;
    const double ctas_of_sm = static_cast<double>(div_up(ctas, limits.sm_count));
    const double unit_rows = static_cast<double>(instance.k_groups * kBlock);
    const double math = 2.0 * instance.features * instance.tokens * unit_rows / (sustained(instance) / kModelSms);
    const double memory = instance.features * unit_rows * 0.52 / (kStripeBytes / kModelSms);
    const double unit = std::max(math, memory) * ctas_of_sm;
    const int64_t whole = div_up(tiles - striped, ctas);
    const int64_t stripe = div_up(striped * units, ctas);
    const int64_t segments =
        whole +
        (striped > 0 ? div_up(stripe, units) + (striped % ctas != 0 && stripe < units && units % stripe != 0) : 0);
    const int64_t sharers = stripe > 0 ? std::min(div_up(units, stripe) + (units % stripe != 0 ? 1 : 0), ctas) : 1;
    launch.cost = kLaunch + kFill + static_cast<double>(whole * units + stripe) * unit +
                  static_cast<double>(segments - 1) * kSegment;
    if (stripe > 0)
        launch.cost += kExchange + static_cast<double>((sharers - 1) * instance.partial_size) / kPartialBytes;
    return launch;
}

bool allowed(const Launch &launch) {
    const Partition &p = launch.partition;
    return launch.partials_size <= kDefaultWorkspace - kGatherSize - kArrivalsSize && p.striped <= kArrivals &&
           static_cast<int64_t>(p.striped) * p.units.value < std::numeric_limits<int32_t>::max();
}

// The best way to cut a problem into the tiles of this instance.
Launch best_stripes(const Instance &instance, const Problem &p, const Geometry &geometry, const Limits &limits) {
    const int64_t tiles = div_up(p.n, instance.features) * div_up(p.m, instance.tokens);
    const int64_t units = div_up(geometry.shape.k_packed / kBlock, instance.k_groups);
    const int64_t room = limits.sm_count * static_cast<int64_t>(instance.ctas_per_sm);
    Launch best = stripe_launch(instance, p, geometry, limits, std::min(tiles, room), 0);
    const auto consider = [&](int64_t ctas, int64_t striped) {
        const Launch other = stripe_launch(instance, p, geometry, limits, ctas, striped);
        if (allowed(other) && other.cost < best.cost)
            best = other;
    };
    if (tiles >= room) {
        if (tiles % room != 0)
            consider(room, tiles % room + room); // a whole wave with the rest: two or three CTAs share a tile
    } else {
        for (int64_t splits = 2; splits <= std::min(room / tiles, units); ++splits)
            consider(tiles * splits, tiles);
        if (tiles * units > room)
            consider(room, tiles);
    }
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
    fail(Status::NotSupported, "MARLIN_OPTION_KERNEL is {}, which is no dense kernel of this device", wishes.kernel);
}

// Whether a slab of so many tokens makes sense for m rows: the narrowest that takes all. A row's sum is the same in
// every batch only in the same instance of a slab.
bool right_slab(const Instance &instance, const Problem &p, const Wishes &wishes) {
    if (wishes.math == Math::BatchInvariant)
        return instance.tokens == 32;
    return instance.tokens >= p.m && (instance.tokens == 8 || instance.tokens < 2 * p.m);
}

} // namespace

Launch choose(const Problem &p, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
              std::span<const Instance *const> instances) {
    if (p.a_type == Type::F32)
        fail(Status::NotSupported, "desc.a_type is 3 (f32), which CUDA kernels do not take, expected f16 or bf16");
    if (p.sparse)
        return choose_sparse(p, geometry, limits, wishes, instances);
    Launch best;
    const auto consider = [&](const Instance &instance) {
        const bool slab = instance.family == Family::Slab;
        if (!slab &&
            div_up(p.n, instance.features) * div_up(p.m, instance.tokens) > std::numeric_limits<int32_t>::max())
            return;
        const Launch launch =
            slab ? slab_launch(instance, p, geometry, limits) : best_stripes(instance, p, geometry, limits);
        if (launch.grid[1] <= kMaxGridY && (best.instance == nullptr || launch.cost < best.cost))
            best = launch;
    };
    if (wishes.kernel != 0) {
        consider(*forced(p, limits, wishes, instances));
    } else {
        for (const Instance *instance : instances) {
            if (!fits(*instance, p, limits))
                continue;
            if (instance->family == Family::Slab ? right_slab(*instance, p, wishes)
                                                 : wishes.math != Math::BatchInvariant)
                consider(*instance);
        }
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

int64_t gather_rows(const Problem &problem, const Geometry &geometry) {
    const int64_t rows = kGatherSize / (geometry.shape.k_packed * 2);
    if (rows < 1)
        fail(Status::NotSupported, "k is {} as packed: one row of A exceeds the {} bytes that a gather may use",
             geometry.shape.k_packed, kGatherSize);
    const int64_t most = std::min(rows, kMaxGridY);
    if (problem.m <= most)
        return most;
    // Even chunks of whole tiles.
    const int64_t even = div_up(problem.m, div_up(problem.m, most));
    const int64_t tiled = round_up(even, 128);
    return tiled <= most ? tiled : most >= 128 ? most / 128 * 128 : most;
}

int64_t workspace_size(const Problem &problem, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
                       std::span<const Instance *const> instances, bool gathers) {
    if (!gathers)
        return kArrivalsSize + choose(problem, geometry, limits, wishes, instances).partials_size;
    const int64_t rows = gather_rows(problem, geometry);
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
