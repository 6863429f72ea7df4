// One compiled kernel as the host sees it: what it is for, what it needs, and its entry.
#pragma once

#include <cstdint>
#include <span>

#include "common/types.h"
#include "cuda/kernel/args.h"

namespace marlin::cuda {

enum class Family : int32_t {
    Slab,         // few tokens, no reduction between CTAs: sm80_w4a16_slab.cuh
    Stripe,       // many tokens, stripes of k over persistent CTAs: sm80_w4a16_stripe.cuh
    SparseSlab,   // 2:4 weights, few tokens, no reduction between CTAs: sm80_w4a16_sp_slab.cuh
    SparseStripe, // 2:4 weights, many tokens: sm80_w4a16_stripe.cuh
    Wgmma,        // Hopper: sm90_w4a16_wgmma.cuh
};

struct Instance {
    const char *name; // static storage
    int32_t number;   // of MARLIN_OPTION_KERNEL
    Family family;
    Type a_type;
    Weights weights;
    int32_t tokens;   // of a CTA
    int32_t features; // of a tile, of one pass of a slab
    int32_t k_groups; // blocks of 64 rows that a CTA takes at a time, stripes
    int32_t ctas_per_sm;
    int32_t stages;
    int32_t threads;      // of a CTA
    int32_t shared_size;  // bytes, dynamic
    int64_t partial_size; // bytes of sums that a CTA leaves of a tile that it shares; 0: it never does
    const void *function; // void (W4A16Args); Wgmma: void (CUtensorMap, W4A16Args)
    // The least compute capability that there is code for, 80 or 90; Wgmma: the only one.
    int32_t capability = 80;
    // Kernels that add up all of a tile's k in the same order have the same number here: with whole tiles they give a
    // row the same bits. 0: none is known to.
    int32_t order = 0;
    // How many CTAs of a cluster may share a tile without the workspace, 2; 1: none.
    int32_t sharers = 1;
    // Wgmma: CTAs of a cluster that take a tile beside each other and share what they read of A; `features` and
    // `partial_size` are those of all.
    int32_t beside = 1;
    // Wgmma: groups of warps that take turns at the units of a tile.
    int32_t turns = 1;
};

// What a CTA of the GPUs before 9.0 may have at most (8.0): kernels that want more have no code for those.
inline constexpr int32_t kSharedSizeBefore90 = 163 * 1024;

// `instance` as it was compiled.
constexpr Instance with_code_from(int32_t capability, Instance instance) {
    instance.capability = capability;
    return instance;
}

// All of them; the list is instances.txt, one line an instance.
std::span<const Instance *const> instances();

} // namespace marlin::cuda
