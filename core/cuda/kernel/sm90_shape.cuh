// What an instance of Hopper's kernel is made of: its tile, its shared memory and its registers, all from its numbers.
#pragma once

#include "cuda/kernel/sm90_copies.cuh"
#include "cuda/kernel/sm90_ptx.cuh"
#include "cuda/kernel/sm90_terms.cuh"
#include "cuda/kernel/stripes.cuh"

namespace marlin::cuda {

template <Weights weights, int tokens, int blocks, int feature_groups, int k_groups, int stages, int beside>
struct WgmmaShape {
    static constexpr int kBeside = beside; // CTAs of a cluster: one tile beside the other, the tokens the same
    static constexpr int kTokens = tokens;
    static constexpr int kStages = stages;
    static constexpr int kKGroups = k_groups;
    static constexpr int kColumns = blocks * feature_groups; // of 64 features, of a CTA
    static constexpr int kFeatures = 64 * kColumns;
    static constexpr int kParts = WgmmaRuns<weights>::kParts;
    static constexpr int kRun = WgmmaRuns<weights>::kMostBytes; // what 128 rows of a column take
    static constexpr int kActivations = tokens * 256;           // 64 columns, and the next 64
    static constexpr int kStage = (kActivations + kColumns * kRun + 1023) / 1024 * 1024;
    static constexpr int kFragments = blocks * tokens / 8; // 16 features x 8 tokens, of a warp
    static constexpr int kOwners = 128 * feature_groups;   // threads of one group in k
    static constexpr int kSums = (k_groups - 1) * kFragments * kOwners * 16;
    static constexpr int kSharedSize = stages * kStage + kSums + 1024; // the start is moved up to 1024
    // Fragments of a block that a warp adds up and stores: every k_groups-th of its 16 features.
    static constexpr int kOwn = (tokens / 8 + k_groups - 1) / k_groups;
    static_assert(kFragments * kOwners * 16 <= stages * kStage, "what a cluster adds up fits into the ring");
    // Registers allow that a cluster shares a tile, and sums of that few tokens can be worth it.
    static constexpr bool kShares = blocks == 1 && tokens <= 128 && beside == 1;
    // Which of the CTAs beside each other this one is.
    static __device__ __forceinline__ int rank() { return beside == 1 ? 0 : static_cast<int>(ptx::cluster_rank()); }
    // Features of a CTA, in its own tiles. A cluster of CTAs beside each other has one place.
    static __device__ __forceinline__ int feature_tile(const TilePlace &place) {
        return place.feature * beside + rank();
    }
    // Bytes of them that the CTA of that rank in a cluster of two keeps (PairSum), from one of the two.
    static constexpr int kept_bytes(int rank) {
        int kept = 0;
        for (int n = 0; n < tokens / 8; ++n)
            kept += n / k_groups % 2 == rank ? 1 : 0;
        return kept * kOwners * 16;
    }
    // Warps that bring the same part of stages in turn: what they issue is taken from all four schedulers alike. Many
    // columns for few tokens are bound by memory and come faster in one order: 28672 x 4096, M = 16 in 19.6, else 20.0
    // us.
    static constexpr int kTurns = (kColumns >= 4 && tokens <= 32) || !may_take_turns(stages, k_groups, 2) ? 1 : 2;
    static constexpr int kConsumers = feature_groups * k_groups;
    static constexpr int kThreads = 128 * (kConsumers + 1);
    static constexpr int64_t kPartialSize = int64_t{64} * kColumns * tokens * 4 * beside; // of a cluster
    // Registers: what a launch gives each thread, then the copying and the multiplying warpgroups.
    static constexpr int kAtStart = kConsumers == 1 ? 255 : 65536 / kThreads / 8 * 8;
    static constexpr int kCopying = kConsumers == 2 ? 40 : kConsumers == 3 ? 32 : 24;
    static constexpr int kMultiplying = (kAtStart + (kAtStart - kCopying) / kConsumers) / 8 * 8;
    // Sums of integers times activations are scaled, once a group, where registers hold them beside the sums of the
    // tile: 4 of 13 instructions a word go, and what is multiplied is exact. Offsets cannot be added to sums, and
    // with more tokens scaling the sums of small groups takes no less.
    static constexpr int kHeld = blocks * tokens + 2 * blocks * 16; // registers: both kinds of sums, and the fragments
    static constexpr int kOthers = is_symmetric(weights) ? 40 : 56;
    static constexpr bool kScalesSums =
        !WgmmaRuns<weights>::kMayOffset &&
        (tokens <= (kParts == 4 ? 16 : 32) || (kParts == 1 && kHeld + kOthers <= kMultiplying));
    // Steps of 16 rows that are converted, then multiplied, while the ones before are under way.
    static constexpr int kBatch =
        (blocks == 2 && tokens == 48) || (!kScalesSums && (blocks * tokens >= 224 || (blocks == 2 && tokens == 64)))
            ? 2
            : 4;
    // Fragments that are added up at once where several CTAs have shares: even parts of at most eight.
    static constexpr int at_once() {
        int most = kOwn < 8 ? kOwn : 8;
        while (kOwn % most != 0)
            --most;
        return most;
    }
    static constexpr int kAtOnce = at_once();
    // Registers hold the sums of another CTA beside the tile's, and what adding them takes.
    static constexpr bool kAddsInPlace = 3 * blocks * tokens / 2 + 40 <= kMultiplying;
};

} // namespace marlin::cuda
