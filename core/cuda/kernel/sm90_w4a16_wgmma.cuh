// C = A * dequantize(B) on Hopper: wgmma with the weights from registers as its 64 side and the tokens as its N side.
//
//     one CTA:    copying warpgroup                        multiplying warpgroups, FG beside each other times KG in k
//                 -----------------                        ----------------------------------------------------------
//     ring of     weights of 128 rows: a bulk copy for     nibbles -> integers -> weights in registers, wgmma with the
//     stages:     each 64 features;                        tokens of the stage in shared memory; the next 64 rows are
//                 A: boxes of 64 columns x tokens          converted while the last are multiplied
//
// Output tiles are 64 * blocks * FG features by `tokens`; stripes.cuh deals them out. The ring runs on across tiles.
// CTAs beside each other in a cluster have neighbouring tiles of the same tokens and bring a part of A each, to both.
// Warpgroups that split k between them add their sums up in shared memory, CTAs that split it in the workspace: always
// in the same order.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/begin.cuh"
#include "cuda/kernel/instance.h"
#include "cuda/kernel/sm90_cluster.cuh"
#include "cuda/kernel/sm90_copies.cuh"
#include "cuda/kernel/sm90_groups.cuh"
#include "cuda/kernel/sm90_output.cuh"
#include "cuda/kernel/sm90_ptx.cuh"
#include "cuda/kernel/sm90_shape.cuh"
#include "cuda/kernel/sm90_shared_tile.cuh"
#include "cuda/kernel/sm90_terms.cuh"

namespace marlin::cuda {

template <typename T, Weights weights, int tokens, int blocks, int feature_groups, int k_groups, int stages, int beside>
__global__ void __launch_bounds__(128 * (feature_groups * k_groups + 1), 1)
    sm90_w4a16_wgmma(const __grid_constant__ CUtensorMap a_map, const W4A16Args args) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    using Shape = WgmmaShape<weights, tokens, blocks, feature_groups, k_groups, stages, beside>;
    const Format<weights> format{args};
    const WgmmaRuns<weights> runs{args};
    extern __shared__ uint8_t unaligned[];
    __shared__ uint64_t barriers[2 * stages + 1];
    __shared__ uint32_t adds_up; // the sums of a tile's CTAs
    uint8_t *const shared = ptx::keep_shared(unaligned + (1024 - ptx::shared_address(unaligned) % 1024) % 1024);
    uint64_t *const full = ptx::keep_shared(barriers); // the copies of a stage are there
    uint64_t *const empty = full + stages;             // the stage has been multiplied
    uint64_t *const gathered = full + 2 * stages;      // the other CTA of a cluster has given its sums
    float4 *const sums_shared = reinterpret_cast<float4 *>(shared + stages * Shape::kStage);
    const int warpgroup = __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x) / 128, 0);
    const int cta = static_cast<int>(blockIdx.x) / beside; // of the partition
    const Partition &p = args.partition;
    // Barriers are initialised: all threads wait for that, also those of a CTA whose copies reach this one.
    const auto wait_until_ready = [] {
        if constexpr (beside == 1)
            ptx::barrier_apart(4, Shape::kThreads);
        else
            ptx::cluster_barrier();
    };

    if (warpgroup == Shape::kConsumers) {
        // ---- Copies -------------------------------------------------------------------------------------------------
        if constexpr (Shape::kConsumers > 1)
            ptx::fewer_registers<Shape::kCopying>();
        const int warp = __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x) / 32 % 4, 0);
        const Ring ring = {shared, full};
        const int turn = warp / 2;
        if (turn >= Shape::kTurns)
            wait_until_ready(); // all of them: the barrier counts the CTA's threads
        else if (warp % 2 == 0)
            copy_weights<Shape>(runs, cta, turn, ring, wait_until_ready);
        else
            copy_activations<Shape>(a_map, args, cta, turn, ring, wait_until_ready);
    } else {
        // ---- Products -----------------------------------------------------------------------------------------------
        // The barriers, while the copying warps find their first tile.
        if (threadIdx.x < 32 && ptx::elect()) {
#pragma unroll
            for (int s = 0; s < stages; ++s) {
                ptx::init_barrier(&full[s], kCopyingThreads);
                ptx::init_barrier(&empty[s], feature_groups * 4 * beside);
            }
            ptx::init_barrier(gathered, 1);
            ptx::fence_barrier_init();
            if (Shape::kShares && args.sharers > 1)
                ptx::arrive_and_expect(gathered,
                                       ptx::cluster_rank() == 0 ? Shape::kept_bytes(0) : Shape::kept_bytes(1));
        }
        __syncwarp();
        if constexpr (Shape::kConsumers > 1)
            ptx::more_registers<Shape::kMultiplying>();
        wait_until_ready();
        if (!runs.grouped() && threadIdx.x / 32 == 1)
            prefetch_column_terms(runs);
        begin_after_previous(args);
        const int feature_group = k_groups == 1 ? warpgroup : warpgroup % feature_groups;
        const int k_group = k_groups == 1 ? 0 : warpgroup / feature_groups;
        const int lane = static_cast<int>(threadIdx.x) % 32;
        const int warp = static_cast<int>(threadIdx.x) / 32 % 4;
        const int g = lane / 4;
        const int owner = feature_group * 128 + static_cast<int>(threadIdx.x) % 128;
        constexpr int batches = 4 / Shape::kBatch; // of 64 rows
        float sums[blocks][tokens / 2];
        uint32_t w[2][blocks][Shape::kBatch][4]; // of this batch and of the one under way
        const auto wait_for_copies = [&](int stage, uint32_t phase) {
            // The unit before in this stage may be another group's, whose phase this one has not waited for: without
            // this, the parity of the phase before that would do.
            if constexpr (stages % k_groups != 0)
                ptx::wait_parity(&empty[stage], phase ^ 1);
            ptx::wait_parity(&full[stage], phase);
        };
        // What a lane reads of the first stage: wgmma's operand, its nibbles, its features' scales and zeros.
        const uint32_t first_operand = ptx::held_by_all(ptx::shared_address(shared) / 16);
        uint8_t *const column = shared + Shape::kActivations + feature_group * blocks * Shape::kRun;
        const uint8_t *const first_words = ptx::held_shared(column + warp * 512 + lane * 16);
        const LaneTerms first_terms = runs.terms_of(column, warp * 16 + g);
        const Mantissas into = {ptx::held_by_all(mantissas(T{}).low), ptx::held_by_all(mantissas(T{}).high)};
        // The lane's nibbles of four steps, of 64 rows of a column.
        const auto load_words = [&](const uint8_t *from, uint32_t(&words)[4]) {
            const uint4 four = *reinterpret_cast<const uint4 *>(from);
            words[0] = four.x;
            words[1] = four.y;
            words[2] = four.z;
            words[3] = four.w;
        };
        // Where scales and zeros of whole columns stay: in one stage of each group in k, which has no others.
        uint8_t *const column_terms = column + k_group * Shape::kStage;
        // Lane r releases stages of the r-th CTA beside this one.
        const uint32_t empty_of_lane = beside == 1 ? 0 : ptx::barrier_of_cluster(empty, lane % beside);
        // All lanes have read a stage, and the warp has been in step since (__syncwarp), before lane 0 releases it;
        // where there may be none yet, `any` says so.
        const auto release = [&](int stage, bool any = true) {
            if constexpr (beside == 1) {
                if (any && lane == 0)
                    ptx::arrive(&empty[stage]);
            } else {
                ptx::arrive_if(any && lane < beside, empty_of_lane + stage * 8);
            }
        };
        int ring = 0; // units before this segment, of the CTA
        while (true) {
            const Segment segment = segment_at(p, cta, ring);
            if (segment.end == 0)
                break;
            const TilePlace place = p.place(segment.tile);
            const int first_column =
                Shape::feature_tile(place) * Shape::kColumns + feature_group * blocks; // of this warpgroup
            const int units = segment.end - segment.begin;
            // Read now, while the first copies are under way, where registers allow: at the end it would be waited for.
            constexpr bool many_terms = Shape::kParts == 4 && !is_symmetric(weights);
            constexpr bool early_bias =
                Shape::kConsumers < 3 && !(Shape::kScalesSums && (Shape::kHeld > 160 || many_terms));
            const auto bias_of_block = [&](int i) {
                return Output::load_bias(args, (first_column + i) * 64 + warp * 16, lane);
            };
            float2 bias[blocks] = {};
            if constexpr (early_bias)
#pragma unroll
                for (int i = 0; i < blocks; ++i)
                    bias[i] = bias_of_block(i);
            if (!runs.grouped()) {
                __syncwarp(); // the tile before has been read
                bring_column_terms<blocks>(runs, first_column, warp * 16, lane, column_terms);
                __syncwarp();
            }
            int stage = (ring + k_group) % stages;
            uint32_t phase = (ring + k_group) / stages % 2;
            int last_stage = -1; // whose last products are under way
            const auto to_next_stage = [&] {
                last_stage = stage;
                stage += k_groups;
                if (stage >= stages) {
                    stage -= stages;
                    phase ^= 1;
                }
            };
            if constexpr (Shape::kScalesSums) {
#pragma unroll
                for (int i = 0; i < blocks; ++i)
#pragma unroll
                    for (int x = 0; x < tokens / 2; ++x)
                        sums[i][x] = 0.0f;
                constexpr int parts = Shape::kParts; // the whole unit, halves or quarters
                const auto part_of = [](int half, int step) { return (half * 4 + step) * parts / 8; };
                float products[parts][blocks][tokens / 2];
                uint32_t words[2][blocks][4];
                PairedTerms<T, weights> terms[blocks][parts];
                const auto fetch = [&](int unit) {
                    wait_for_copies(stage, phase);
                    const uint8_t *const codes = first_words + stage * Shape::kStage;
                    const int terms_at = (runs.grouped() ? stage : k_group) * Shape::kStage;
                    const int half_step = runs.half_step(unit);
#pragma unroll
                    for (int i = 0; i < blocks; ++i) {
                        load_terms<T, false>(runs, first_terms, terms_at + i * Shape::kRun, half_step, terms[i]);
#pragma unroll
                        for (int half = 0; half < 2; ++half)
                            load_words(codes + i * Shape::kRun + half * half_step, words[half][i]);
                    }
                };
                constexpr int of = Shape::kBatch;
                const auto convert = [&](int batch) {
#pragma unroll
                    for (int i = 0; i < blocks; ++i)
#pragma unroll
                        for (int s = 0; s < of; ++s) {
                            const int half = (batch * of + s) / 4, step = (batch * of + s) % 4;
                            to_integers(words[half][i][step], terms[i][part_of(half, step)].zero_terms(), into,
                                        w[batch % 2][i][s], T{});
                        }
                };
                const auto multiply = [&](int batch, uint64_t operand) {
                    ptx::wgmma_fence();
#pragma unroll
                    for (int s = 0; s < of; ++s) {
                        const int half = (batch * of + s) / 4, step = (batch * of + s) % 4;
#pragma unroll
                        for (int i = 0; i < blocks; ++i)
                            ptx::wgmma(products[part_of(half, step)][i], w[batch % 2][i][s],
                                       operand + half * tokens * 8 + step * 2,
                                       (half * 4 + step) % (8 / parts) > 0 ? 1 : 0, T{});
                    }
                    ptx::wgmma_commit();
                };
                int unit = segment.begin + k_group;
                bool more = unit < segment.end;
                if (more) {
                    fetch(unit);
                    convert(0);
                }
                while (more) {
                    const uint64_t operand = ptx::wgmma_operand(first_operand + stage * (Shape::kStage / 16));
                    multiply(0, operand);
                    float2 scales[blocks][parts];
#pragma unroll
                    for (int i = 0; i < blocks; ++i)
#pragma unroll
                        for (int part = 0; part < parts; ++part)
                            scales[i][part] = terms[i][part].scale_floats(format);
#pragma unroll
                    for (int batch = 1; batch < 8 / of; ++batch) {
                        if (batch > 1)
                            ptx::wgmma_wait<1>(); // for the batch before the last, whose weights these replace
                        convert(batch);
                        multiply(batch, operand);
                    }
                    unit += k_groups;
                    to_next_stage();
                    more = unit < segment.end;
                    const auto scale = [&](int part) {
#pragma unroll
                        for (int i = 0; i < blocks; ++i)
#pragma unroll
                            for (int x = 0; x < tokens / 2; ++x) {
                                ptx::settle(products[part][i][x]);
                                sums[i][x] +=
                                    products[part][i][x] * (x % 4 < 2 ? scales[i][part].x : scales[i][part].y);
                            }
                    };
                    ptx::wgmma_wait<1>();
                    if (more) {
                        fetch(unit);
                        convert(0);
                    }
#pragma unroll
                    for (int part = 0; part < parts / 2; ++part) // of the first half
                        scale(part);
                    ptx::wgmma_wait<0>();
                    __syncwarp();
                    release(last_stage);
#pragma unroll
                    for (int part = parts / 2; part < parts; ++part)
                        scale(part);
                }
            } else {
                int unit = segment.begin + k_group;
                if (k_groups == 1 || unit < segment.end) {
                    do {
                        __syncwarp(); // for the stage before: between products it would break the pipeline
                        wait_for_copies(stage, phase);
                        const uint8_t *const codes = first_words + stage * Shape::kStage;
                        const int terms_at = (runs.grouped() ? stage : k_group) * Shape::kStage;
                        const uint64_t operand = ptx::wgmma_operand(first_operand + stage * (Shape::kStage / 16));
                        const int half_step = runs.half_step(unit);
                        // All of a stage's before any of its products: loads with branches between them break the
                        // pipeline.
                        PairedTerms<T, weights> terms[blocks][Shape::kParts];
#pragma unroll
                        for (int i = 0; i < blocks; ++i)
                            load_terms<T, true>(runs, first_terms, terms_at + i * Shape::kRun, half_step, terms[i]);
#pragma unroll
                        for (int half = 0; half < 2; ++half) {
                            uint32_t words[blocks][4];
#pragma unroll
                            for (int i = 0; i < blocks; ++i) {
                                load_words(codes + i * Shape::kRun + half * half_step, words[i]);
                            }
#pragma unroll
                            for (int batch = 0; batch < batches; ++batch) {
                                constexpr int of = Shape::kBatch;
                                uint32_t(&to)[blocks][of][4] = w[(half * batches + batch) % 2];
#pragma unroll
                                for (int i = 0; i < blocks; ++i) {
#pragma unroll
                                    for (int s = 0; s < of; ++s) {
                                        const int step = batch * of + s;
                                        const PairedTerms<T, weights> &of_step =
                                            terms[i][(half * 4 + step) * Shape::kParts / 8];
                                        to_integers(words[i][step], of_step.zero_terms(), into, to[i][s], T{});
                                        scale_integers<T>(of_step.scale_terms(), to[i][s]);
                                    }
                                }
                                ptx::wgmma_fence();
#pragma unroll
                                for (int s = 0; s < of; ++s)
#pragma unroll
                                    for (int i = 0; i < blocks; ++i)
                                        ptx::wgmma(
                                            sums[i], to[i][s], operand + half * tokens * 8 + (batch * of + s) * 2,
                                            unit >= segment.begin + k_groups || half + batch + s > 0 ? 1 : 0, T{});
                                ptx::wgmma_commit();
                                ptx::wgmma_wait<1>();
                                if (half + batch == 0)
                                    release(last_stage, last_stage >= 0);
                            }
                        }
                        to_next_stage();
                        unit += k_groups;
                    } while (unit < segment.end);
                    // All of this in one block with the loop: where ways meet, the compiler copies sums, and it would
                    // do so before they are there.
                    ptx::wgmma_wait<0>();
                    __syncwarp();
                    release(last_stage);
#pragma unroll
                    for (int i = 0; i < blocks; ++i)
#pragma unroll
                        for (int x = 0; x < tokens / 2; ++x)
                            ptx::settle(sums[i][x]);
                } else { // fewer units than groups
#pragma unroll
                    for (int i = 0; i < blocks; ++i)
#pragma unroll
                        for (int x = 0; x < tokens / 2; ++x)
                            sums[i][x] = 0.0f;
                }
            }
            ring += units;

            if (Shape::kShares && args.sharers > 1)
                ptx::cluster_arrive(); // no copy is under way any more, and the ring is free.

            // ---- The sum over the groups in k: a warp goes on with every k_groups-th fragment -----------------------
            if constexpr (k_groups > 1)
                add_groups<k_groups, Shape::kOwners, 128 * Shape::kConsumers>(sums, sums_shared + owner, k_group);
            // Fragment j of those stands at slot(i, j) from first_slot on among a tile's, where exists(j).
            const int first_slot = k_group * Shape::kOwners + owner;
            const auto slot = [](int i, int j) { return (i * (tokens / 8) + j * k_groups) * Shape::kOwners; };
            const auto exists = [&](int j) {
                return tokens / 8 % k_groups == 0 || j * k_groups + k_group < tokens / 8;
            };
            float4 own[blocks][Shape::kOwn];
            const auto each_own = [&](const auto &visit) {
#pragma unroll
                for (int i = 0; i < blocks; ++i)
#pragma unroll
                    for (int j = 0; j < Shape::kOwn; ++j)
                        visit(i, j);
            };
            each_own([&](int i, int j) {
                own[i][j] = fragment(sums[i], j * k_groups);
#pragma unroll
                for (int group = 1; group < k_groups; ++group)
                    if (const int n = j * k_groups + group; n < tokens / 8)
                        own[i][j] = ptx::select(k_group == group, fragment(sums[i], n), own[i][j]);
            });

            // ---- The sum over the CTAs of the tile, and C -----------------------------------------------------------
            const auto output = [&](int i, int first_fragment) {
                float2 of_block = early_bias ? bias[0] : bias_of_block(i);
                if constexpr (early_bias)
#pragma unroll
                    for (int b = 1; b < blocks; ++b)
                        of_block = i == b ? bias[b] : of_block;
                const int first = first_token_read<Shape>(args, place);
                const int missing = max(0, tokens - args.m);
                return Output{args,
                              tokens,
                              first - place.token * tokens + missing + 8 * first_fragment,
                              first + 8 * first_fragment,
                              (first_column + i) * 64 + warp * 16,
                              lane,
                              of_block};
            };
            if constexpr (Shape::kShares)
                if (args.sharers > 1) {
                    const PairSum<Shape::kOwn> pair = {reinterpret_cast<float4 *>(shared) + first_slot, gathered};
                    const auto own_of_block = [&](int j) { return own[0][j]; };
                    const auto slot_of_block = [&](int j) { return slot(0, j); };
                    pair.give(own_of_block, slot_of_block, exists);
                    ptx::wait_parity(gathered, 0);
                    const int first = static_cast<int>(ptx::cluster_rank()) * k_groups + k_group;
                    output(0, first).template store_all<pair.kKept, 2 * k_groups>(
                        [&](int n) { return pair.take(own_of_block, n, slot_of_block); },
                        [&](int n) { return pair.kept(n, exists); });
                    break; // a cluster has one tile
                }
            SharedTile tile;
            const auto meet = [] { ptx::barrier(3, 128 * Shape::kConsumers); };
            const auto partial = [&](int of_cta, int at) {
                const int64_t nth = int64_t{2 * of_cta + (of_cta == tile.first_cta ? 1 : 0)} * beside + Shape::rank();
                return reinterpret_cast<float4 *>(args.partials) + nth * Shape::kFragments * Shape::kOwners + at;
            };
            const auto leave_own = [&] {
                each_own([&](int i, int j) {
                    if (exists(j))
                        __stcg(partial(cta, first_slot) + slot(i, j), own[i][j]);
                });
            };
            bool in_registers = true;     // the whole sum
            if (units != p.units.value) { // other CTAs have the rest of this tile's k
                tile = SharedTile(p, segment, args.arrivals, beside, Shape::rank());
                // Without this barrier the compiler takes the loops of the copies out of the uniform registers.
                meet();
                if (first_slot == 0)
                    adds_up = tile.claim() ? 1 : 0;
                meet();
                if (adds_up == 0) { // written again only behind the next barrier, in another tile
                    leave_own();
                    meet();
                    if (first_slot == 0)
                        tile.tell_stored();
                    continue;
                }
                if (first_slot == 0)
                    tile.wait_until_stored();
                meet();
                // Two have the same sum in either order: the own ones stay where they are, if registers allow.
                in_registers = Shape::kAddsInPlace && tile.others() == 1;
                if (in_registers) {
                    const float4 *const other = partial(tile.first_cta + tile.last_cta - cta, first_slot);
                    each_own([&](int i, int j) {
                        if (exists(j))
                            own[i][j] = sum_of(own[i][j], __ldcg(other + slot(i, j)));
                    });
                }
            }
            if (in_registers) {
#pragma unroll
                for (int i = 0; i < blocks; ++i)
                    output(i, k_group)
                        .template store_all<Shape::kOwn, k_groups>([&](int j) { return own[i][j]; }, exists);
                continue;
            }
            leave_own(); // to be added up in the order of the CTAs
            constexpr int some = Shape::kAtOnce;
#pragma unroll 1
            for (int at = 0; at < blocks * Shape::kOwn; at += some) {
                const int i = at / Shape::kOwn, first = at % Shape::kOwn;
                const int from = first_slot + slot(i, first);
                float4 sum[some];
                add_parts<1>(sum, tile.first_cta, tile.last_cta, [&](int of_cta, int f) {
                    return exists(first + f) ? partial(of_cta, from) + slot(0, f) : partial(of_cta, owner);
                });
                output(i, first * k_groups + k_group)
                    .template store_all<some, k_groups>([&](int n) { return sum[n]; },
                                                        [&](int n) { return exists(first + n); });
            }
        }
        if constexpr (beside > 1)
            ptx::cluster_barrier(); // the other CTA's warps arrive at barriers of this one until they are here
    }
#endif
}

template <typename T, Weights weights, int tokens, int blocks, int feature_groups, int k_groups, int stages,
          int beside = 1>
Instance wgmma_instance(const char *name, int32_t number) {
    using Shape = WgmmaShape<weights, tokens, blocks, feature_groups, k_groups, stages, beside>;
    static_assert(k_groups < stages, "a stage is released when the group's next has come");
    static_assert(Shape::kSharedSize + 1024 <= 227 * 1024, "with the barriers, what a CTA of Hopper may have");
    Instance instance = {};
    instance.name = name;
    instance.number = number;
    instance.family = Family::Wgmma;
    instance.a_type = kTypeOf<T>;
    instance.weights = weights;
    instance.tokens = tokens;
    instance.features = Shape::kFeatures * beside;
    instance.beside = beside;
    instance.k_groups = 2; // blocks of 64 rows in a unit
    instance.ctas_per_sm = 1;
    instance.stages = stages;
    instance.threads = Shape::kThreads;
    instance.shared_size = Shape::kSharedSize;
    instance.partial_size = Shape::kPartialSize;
    instance.sharers = Shape::kShares ? kMostSharers : 1;
    instance.turns = k_groups;
    // For batch invariance, which wants many CTAs without cutting k.
    if (blocks == 1 && feature_groups == 1 && k_groups == 2)
        instance.order = Shape::kScalesSums ? 1 : 2;
    instance.function = reinterpret_cast<const void *>(
        &sm90_w4a16_wgmma<T, weights, tokens, blocks, feature_groups, k_groups, stages, beside>);
    return instance;
}

} // namespace marlin::cuda
