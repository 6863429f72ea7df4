// The copies of Hopper's kernel: a thread or two in turn bring weights, as many activations. Each goes through the
// CTA's tiles and stages by itself; a stage is full when both have come.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/begin.cuh"
#include "cuda/kernel/sm90_ptx.cuh"
#include "cuda/kernel/sm90_terms.cuh"

namespace marlin::cuda {

inline constexpr int kCopyingThreads = 2; // that arrive at the barrier of a full stage

// A warp that fills the stage of unit u waits for the release of unit u - stages, by the parity of its phase. That
// tells nothing while u - 2 * stages, whose parity is the same, has not been released either. Of the warp's own units
// before it awaited the releases of u - turns * j - stages: one of those, u - 2 * stages itself or later, must have
// been the same group's in k, for groups release their units in order, but one of them may lag behind the others.
constexpr bool may_take_turns(int stages, int k_groups, int turns) {
    for (int later = stages - turns; later >= 0; later -= turns) // than u - 2 * stages
        if (later % k_groups == 0)
            return true;
    return false;
}

// Where a CTA's stages are, and their barriers.
struct Ring {
    uint8_t *shared;
    uint64_t *full; // a barrier a stage: its copies are there. As many behind them: it has been multiplied
};

// By a warp: begin_tile(place, unit) for each of a CTA's tiles, with its own first unit of it, by one of its threads
// but for the first tile; and by that thread copy(unit, stage, barrier) for every kTurns-th stage of all tiles in their
// order, from stage `turn` on, each when it is empty. Whose the first tile is takes several hundred clocks to find;
// meanwhile a multiplying warp initialises the barriers, for which wait() waits.
template <typename Shape, typename BeginTile, typename Wait, typename Copy>
__device__ __forceinline__ void fill_stages(const Partition &p, int cta, int turn, const Ring &ring,
                                            const BeginTile &begin_tile, const Wait &wait, const Copy &copy) {
    constexpr int turns = Shape::kTurns;
    static_assert((turns == 1 || turns == 2) && turns <= Shape::kStages);
    static_assert(may_take_turns(Shape::kStages, Shape::kKGroups, turns));
    const auto first_unit = [&](const Segment &segment, int done) {
        return segment.begin + ((turn - done) & (turns - 1));
    };
    Segment segment = segment_at(p, cta, 0);
    begin_tile(p.place(segment.tile), first_unit(segment, 0));
    wait();
    if (!ptx::elect())
        return;
    int stage = turn;
    uint32_t phase = 1; // of the release before: at first there is none to wait for
    int done = 0;
    while (segment.end != 0) {
        for (int unit = first_unit(segment, done); unit < segment.end; unit += turns) {
            uint64_t *const barrier = ring.full + stage;
            ptx::wait_parity(barrier + Shape::kStages, phase);
            copy(unit, stage, barrier);
            stage += turns;
            if (stage >= Shape::kStages) {
                stage -= Shape::kStages;
                phase ^= 1;
            }
        }
        done += segment.end - segment.begin;
        segment = segment_at(p, cta, done);
        begin_tile(p.place(segment.tile), first_unit(segment, done));
    }
}

// Packed bytes are there before the kernel ahead has ended; only a gather is let be.
template <typename Shape, Weights weights, typename Wait>
__device__ __forceinline__ void copy_weights(const WgmmaRuns<weights> &runs, int cta, int turn, const Ring &ring,
                                             const Wait &wait) {
    const W4A16Args &args = runs.args;
    const int columns = args.row_groups / 4;
    const int unit_size = runs.unit_size();
    const uint64_t policy = ptx::policy_of_weights(args.m <= Shape::kTokens);
    int live = 0; // columns of the tile that exist
    const uint8_t *from = nullptr;
    fill_stages<Shape>(
        args.partition, cta, turn, ring,
        [&](const TilePlace &place, int unit) {
            const int first_column = Shape::feature_tile(place) * Shape::kColumns;
            live = max(0, min(Shape::kColumns, columns - first_column));
            from = args.body + first_column * args.column_size + static_cast<int64_t>(unit) * unit_size;
        },
        [&] {
            wait();
            if (args.begin == Begin::BesideGather)
                begin_after_previous(args);
        },
        [&](int unit, int stage, uint64_t *barrier) {
            uint8_t *const to = ring.shared + stage * Shape::kStage + Shape::kActivations;
            int bytes = unit_size;
            if (!runs.format.kFixed && unit == runs.half_unit)
                bytes /= 2;
            // One branch where all columns are there, not one for each: only the last tile may have fewer.
            if (Shape::kColumns == 1 || live == Shape::kColumns) {
                ptx::arrive_and_expect(barrier, Shape::kColumns * bytes);
#pragma unroll
                for (int c = 0; c < Shape::kColumns; ++c)
                    ptx::copy_bulk(to + c * Shape::kRun, from + c * args.column_size, bytes, barrier, policy);
            } else {
                ptx::arrive_and_expect(barrier, live * bytes);
#pragma unroll 1
                for (int c = 0; c < live; ++c)
                    ptx::copy_bulk(to + c * Shape::kRun, from + c * args.column_size, bytes, barrier, policy);
            }
            from += Shape::kTurns * unit_size;
        });
}

// By a warp of every CTA: brings the scales and zeros of whole columns to L2, a part each, where memory would be waited
// for at the beginning of each tile. Which tiles are the CTA's is not asked: with that beside them the loops of the
// copies leave the uniform registers, which small tiles do not hide.
template <Weights weights>
__device__ __forceinline__ void prefetch_column_terms(const WgmmaRuns<weights> &runs) {
    const W4A16Args &args = runs.args;
    const int zero_size = runs.format.zero_size();
    constexpr int features = 32; // of a lane's lines: 128 bytes of the widest zeros
    const int lane = static_cast<int>(blockIdx.x) * 32 + static_cast<int>(threadIdx.x) % 32;
    for (int feature = lane * features; feature < args.row_groups * 16;
         feature += static_cast<int>(gridDim.x) * 32 * features) {
        ptx::prefetch_l2(args.column_scales + int64_t{2} * feature);
        if (zero_size != 0)
            ptx::prefetch_l2(args.column_zeros + int64_t{feature} * zero_size);
    }
}

// First token that a tile reads: nothing is read beyond A, which takes the tensor map's engine several times as long as
// what exists. A tile that would reach beyond begins earlier, and the tokens that it shares with the one before stay
// that one's; a batch smaller than a tile has smaller boxes.
template <typename Shape>
__device__ __forceinline__ int first_token_read(const W4A16Args &args, const TilePlace &place) {
    return max(0, min(place.token * Shape::kTokens, args.m - Shape::kTokens));
}

template <typename Shape, typename Wait>
__device__ __forceinline__ void copy_activations(const CUtensorMap &a_map, const W4A16Args &args, int cta, int turn,
                                                 const Ring &ring, const Wait &wait) {
    // CTAs beside each other bring a part of the tokens each, to all of them.
    constexpr int beside = Shape::kBeside;
    const int expected = 2 * 128 * min(args.m, Shape::kTokens);
    const int first_row = Shape::rank() * (Shape::kTokens / beside);
    int first_token = 0;
    if (ptx::elect())
        ptx::prefetch_map(a_map);
    fill_stages<Shape>(
        args.partition, cta, turn, ring,
        [&](const TilePlace &place, int) { first_token = first_token_read<Shape>(args, place); },
        [&] {
            wait();
            begin_after_previous(args);
        },
        [&](int unit, int stage, uint64_t *barrier) {
            uint8_t *const to = ring.shared + stage * Shape::kStage + first_row * 128;
            ptx::arrive_and_expect(barrier, expected);
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                uint8_t *const to_half = to + half * Shape::kTokens * 128;
                const int column = unit * 128 + half * 64;
                if constexpr (beside == 1)
                    ptx::copy_box(to_half, a_map, column, first_token, barrier);
                else
                    ptx::copy_box_to_all<beside>(to_half, a_map, column, first_token + first_row, barrier);
            }
        });
}

} // namespace marlin::cuda
