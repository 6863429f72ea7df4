// The copies of Hopper's kernel: one thread brings weights, another activations. Each goes through the CTA's tiles and
// stages by itself; a stage is full when both have come.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/begin.cuh"
#include "cuda/kernel/sm90_ptx.cuh"
#include "cuda/kernel/sm90_terms.cuh"

namespace marlin::cuda {

inline constexpr int kCopyingThreads = 2; // that arrive at the barrier of a full stage

// Where a CTA's stages are, and their barriers.
struct Ring {
    uint8_t *shared;
    uint64_t *full;  // the copies of a stage are there
    uint64_t *empty; // the stage has been multiplied
};

// By a warp: begin_tile(segment, place) for each of a CTA's tiles, by one of its threads but for the first tile, and by
// that thread copy(unit, stage) for the stages of all tiles in their order, each when it is empty. Whose the first tile
// is takes several hundred clocks to find; meanwhile another warp initialises the barriers, for which wait() waits.
template <typename Shape, typename BeginTile, typename Wait, typename Copy>
__device__ __forceinline__ void fill_stages(const Partition &p, int cta, const Ring &ring, const BeginTile &begin_tile,
                                            const Wait &wait, const Copy &copy) {
    Segment segment = segment_at(p, cta, 0);
    begin_tile(segment, p.place(segment.tile));
    wait();
    if (!ptx::elect())
        return;
    int stage = 0;
    uint32_t phase = 0;
    int done = 0;
    while (segment.end != 0) {
        done += segment.end - segment.begin;
        for (int unit = segment.begin; unit < segment.end; ++unit) {
            ptx::wait_parity(&ring.empty[stage], phase ^ 1);
            copy(unit, stage);
            if (++stage == Shape::kStages) {
                stage = 0;
                phase ^= 1;
            }
        }
        segment = segment_at(p, cta, done);
        begin_tile(segment, p.place(segment.tile));
    }
}

// Packed bytes are there before the kernel ahead has ended; only a gather is let be.
template <typename Shape, Weights weights, typename Wait>
__device__ __forceinline__ void copy_weights(const WgmmaRuns<weights> &runs, int cta, const Ring &ring,
                                             const Wait &wait) {
    const W4A16Args &args = runs.args;
    const int columns = args.row_groups / 4;
    const int unit_size = runs.unit_size();
    int live = 0; // columns of the tile that exist
    const uint8_t *from = nullptr;
    fill_stages<Shape>(
        args.partition, cta, ring,
        [&](const Segment &segment, const TilePlace &place) {
            const int first_column = Shape::feature_tile(place) * Shape::kColumns;
            live = max(0, min(Shape::kColumns, columns - first_column));
            from = args.body + first_column * args.column_size + static_cast<int64_t>(segment.begin) * unit_size;
        },
        [&] {
            wait();
            if (args.begin == Begin::BesideGather)
                begin_after_previous(args);
        },
        [&](int unit, int stage) {
            uint8_t *const to = ring.shared + stage * Shape::kStage + Shape::kActivations;
            uint64_t *const barrier = &ring.full[stage];
            int bytes = unit_size;
            if (unit == runs.half_unit)
                bytes /= 2;
            ptx::arrive_and_expect(barrier, live * bytes);
#pragma unroll
            for (int c = 0; c < Shape::kColumns; ++c)
                if (c < live)
                    ptx::copy_bulk(to + c * Shape::kRun, from + c * args.column_size, bytes, barrier);
            from += unit_size;
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
__device__ __forceinline__ void copy_activations(const CUtensorMap &a_map, const W4A16Args &args, int cta,
                                                 const Ring &ring, const Wait &wait) {
    // CTAs beside each other bring a part of the tokens each, to all of them.
    constexpr int beside = Shape::kBeside;
    const int expected = 2 * 128 * min(args.m, Shape::kTokens);
    const int first_row = Shape::rank() * (Shape::kTokens / beside);
    int first_token = 0;
    if (ptx::elect())
        ptx::prefetch_map(a_map);
    fill_stages<Shape>(
        args.partition, cta, ring,
        [&](const Segment &, const TilePlace &place) { first_token = first_token_read<Shape>(args, place); },
        [&] {
            wait();
            begin_after_previous(args);
        },
        [&](int unit, int stage) {
            uint8_t *const to = ring.shared + stage * Shape::kStage + first_row * 128;
            uint64_t *const barrier = &ring.full[stage];
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
