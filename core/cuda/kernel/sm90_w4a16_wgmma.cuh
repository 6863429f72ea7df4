// C = A * dequantize(B) on Hopper: wgmma with the weights from registers as its 64 side and the tokens as its N side.
//
//     one CTA:    copying warpgroup                        multiplying warpgroups, FG beside each other times KG in k
//                 -----------------                        ----------------------------------------------------------
//     ring of     weights of 128 rows: a bulk copy for     nibbles -> integers -> weights in registers, wgmma with the
//     stages:     each 64 features;                        tokens of the stage in shared memory; the next 64 rows are
//                 A: boxes of 64 columns x tokens          converted while the last are multiplied
//
// Output tiles are 64 * blocks * FG features by `tokens`; stripes.cuh deals them out. The ring runs on across tiles.
// Warpgroups that split k between them add their sums up in shared memory, CTAs that split it in the workspace: always
// in the same order.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/begin.cuh"
#include "cuda/kernel/instance.h"
#include "cuda/kernel/sm90_cluster.cuh"
#include "cuda/kernel/sm90_copies.cuh"
#include "cuda/kernel/sm90_output.cuh"
#include "cuda/kernel/sm90_ptx.cuh"
#include "cuda/kernel/sm90_terms.cuh"

namespace marlin::cuda {

template <Weights weights, int tokens, int blocks, int feature_groups, int k_groups, int stages>
struct WgmmaShape {
    static constexpr int kTokens = tokens;
    static constexpr int kStages = stages;
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
    static_assert(kFragments * kOwners * 16 <= stages * kStage, "what a cluster adds up fits into the ring");
    static constexpr int kConsumers = feature_groups * k_groups;
    static constexpr int kThreads = 128 * (kConsumers + 1);
    static constexpr int64_t kPartialSize = int64_t{64} * kColumns * tokens * 4;
    // Registers: what a launch gives each thread, then the copying and the multiplying warpgroups.
    static constexpr int kAtStart = kConsumers == 1 ? 255 : 65536 / kThreads / 8 * 8;
    static constexpr int kCopying = kConsumers == 2 ? 40 : kConsumers == 3 ? 32 : 24;
    static constexpr int kMultiplying = (kAtStart + (kAtStart - kCopying) / kConsumers) / 8 * 8;
    // Sums of integers times activations are scaled, once a group, where registers hold them beside the sums of the
    // tile: 4 of 13 instructions a word go, and what is multiplied is exact. Offsets cannot be added to sums, and
    // scaling the sums of small groups takes no less.
    static constexpr int kHeld = blocks * tokens + 2 * blocks * 16; // registers: both kinds of sums, and the fragments
    static constexpr int kOthers = weights == Weights::Group128 ? 40 : 56;
    static constexpr bool kScalesSums =
        !WgmmaRuns<weights>::kMayOffset && (tokens <= 32 || (kParts == 1 && kHeld + kOthers <= kMultiplying));
    // Steps of 16 rows that are converted, then multiplied, while the ones before are under way.
    static constexpr int kBatch =
        !kScalesSums && (blocks * tokens >= 256 || (blocks == 2 && (tokens == 48 || tokens == 64))) ? 2 : 4;
};

// Sums of 16 features x 8 tokens, of a lane.
template <int count>
__device__ __forceinline__ float4 fragment(const float (&sums)[count], int n) {
    return make_float4(sums[4 * n], sums[4 * n + 1], sums[4 * n + 2], sums[4 * n + 3]);
}

template <typename T, Weights weights, int tokens, int blocks, int feature_groups, int k_groups, int stages>
__global__ void __launch_bounds__(128 * (feature_groups * k_groups + 1), 1)
    sm90_w4a16_wgmma(const __grid_constant__ CUtensorMap a_map, const W4A16Args args) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    using Shape = WgmmaShape<weights, tokens, blocks, feature_groups, k_groups, stages>;
    const Format<weights> format{args};
    const WgmmaRuns<weights> runs{args};
    extern __shared__ uint8_t unaligned[];
    __shared__ uint64_t barriers[2 * stages];
    __shared__ uint32_t is_last; // CTA of a tile: it adds up
    uint8_t *const shared = ptx::keep_shared(unaligned + (1024 - ptx::shared_address(unaligned) % 1024) % 1024);
    uint64_t *const full = ptx::keep_shared(barriers); // the copies of a stage are there
    uint64_t *const empty = full + stages;             // the stage has been multiplied
    float4 *const sums_shared = reinterpret_cast<float4 *>(shared + stages * Shape::kStage);
    const int warpgroup = __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x) / 128, 0);
    const int cta = static_cast<int>(blockIdx.x);
    const Partition &p = args.partition;
    static_assert(2 * stages <= 128);
    if (threadIdx.x < 2 * stages) {
        ptx::init_barrier(&barriers[threadIdx.x], threadIdx.x < stages ? kCopyingThreads : feature_groups * 4);
        ptx::fence_barrier_init();
    }
    __syncthreads();

    if (warpgroup == Shape::kConsumers) {
        // ---- Copies -------------------------------------------------------------------------------------------------
        if constexpr (Shape::kConsumers > 1)
            ptx::fewer_registers<Shape::kCopying>();
        const int warp = __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x) / 32 % 4, 0);
        const Ring ring = {shared, full, empty};
        if (warp == 0 && ptx::elect())
            copy_weights<Shape>(runs, cta, ring);
        else if (warp == 1 && ptx::elect())
            copy_activations<Shape>(a_map, args, cta, ring);
    } else {
        // ---- Products -----------------------------------------------------------------------------------------------
        if constexpr (Shape::kConsumers > 1)
            ptx::more_registers<Shape::kMultiplying>();
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
        // The lane's nibbles of four steps, of 64 rows of a column.
        const auto load_words = [&](const uint8_t *codes, uint32_t(&words)[4]) {
            const uint4 four = *reinterpret_cast<const uint4 *>(codes + warp * 512 + lane * 16);
            words[0] = four.x;
            words[1] = four.y;
            words[2] = four.z;
            words[3] = four.w;
        };
        // Where scales and zeros of whole columns stay: in one stage of each group in k, which has no others.
        uint8_t *const column_terms =
            shared + k_group * Shape::kStage + Shape::kActivations + feature_group * blocks * Shape::kRun;
        // All lanes have read a stage, and the warp has been in step since (__syncwarp), before lane 0 releases it.
        const auto release = [&](int stage) {
            if (lane == 0)
                ptx::arrive(&empty[stage]);
        };
        const auto each_fragment = [&](const auto &visit) {
#pragma unroll
            for (int i = 0; i < blocks; ++i)
#pragma unroll
                for (int n = 0; n < tokens / 8; ++n)
                    visit(i, n, i * (tokens / 8) + n);
        };
        int ring = 0; // units before this segment, of the CTA
        while (true) {
            const Segment segment = segment_at(p, cta, ring);
            if (segment.end == 0)
                break;
            const TilePlace place = p.place(segment.tile);
            const int first_column = place.feature * Shape::kColumns + feature_group * blocks; // of this warpgroup
            const int units = segment.end - segment.begin;
            // Read now, while the first copies are under way, where registers allow: at the end it would be waited for.
            constexpr bool early_bias = Shape::kConsumers < 3 && !(Shape::kScalesSums && Shape::kHeld > 160);
            const auto bias_of_block = [&](int i) {
                return Output::load_bias(args, (first_column + i) * 64 + warp * 16, lane);
            };
            float2 bias[blocks] = {};
            if constexpr (early_bias)
#pragma unroll
                for (int i = 0; i < blocks; ++i)
                    bias[i] = bias_of_block(i);
            if (!format.grouped()) {
                __syncwarp(); // the tile before has been read
#pragma unroll 1
                for (int i = 0; i < blocks; ++i)
                    bring_column_terms(runs, min(first_column + i, args.row_groups / 4 - 1), warp * 16, lane,
                                       column_terms + i * Shape::kRun);
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
                constexpr int parts = Shape::kParts; // 1, or the halves
                float products[parts][blocks][tokens / 2];
                uint32_t words[2][blocks][4];
                PairedTerms<T, weights> terms[blocks][parts];
                const auto fetch = [&](int unit) {
                    wait_for_copies(stage, phase);
                    const uint8_t *const codes =
                        shared + stage * Shape::kStage + Shape::kActivations + feature_group * blocks * Shape::kRun;
                    const uint8_t *const terms_at = format.grouped() ? codes : column_terms;
                    const int half_step = runs.half_step(unit);
#pragma unroll
                    for (int i = 0; i < blocks; ++i) {
                        load_terms<T, false>(runs, terms_at + i * Shape::kRun, half_step, warp * 16 + g, terms[i]);
#pragma unroll
                        for (int half = 0; half < 2; ++half)
                            load_words(codes + i * Shape::kRun + half * half_step, words[half][i]);
                    }
                };
                const auto convert = [&](int half) {
#pragma unroll
                    for (int i = 0; i < blocks; ++i)
#pragma unroll
                        for (int step = 0; step < 4; ++step)
                            to_integers(words[half][i][step], terms[i][half % parts].zero_terms(), w[half][i][step],
                                        T{});
                };
                const auto multiply = [&](int half, uint64_t operand) {
                    ptx::wgmma_fence();
#pragma unroll
                    for (int step = 0; step < 4; ++step)
#pragma unroll
                        for (int i = 0; i < blocks; ++i)
                            ptx::wgmma(products[half % parts][i], w[half][i][step],
                                       operand + half * tokens * 8 + step * 2,
                                       step > 0 || (parts == 1 && half > 0) ? 1 : 0, T{});
                    ptx::wgmma_commit();
                };
                int unit = segment.begin + k_group;
                bool more = unit < segment.end;
                if (more) {
                    fetch(unit);
                    convert(0);
                }
                while (more) {
                    const uint64_t operand = ptx::wgmma_operand(shared + stage * Shape::kStage);
                    multiply(0, operand);
                    float2 scales[blocks][parts];
#pragma unroll
                    for (int i = 0; i < blocks; ++i)
#pragma unroll
                        for (int part = 0; part < parts; ++part)
                            scales[i][part] = terms[i][part].scale_floats(format);
                    convert(1);
                    multiply(1, operand);
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
                    if (parts == 2)
                        scale(0);
                    ptx::wgmma_wait<0>();
                    __syncwarp();
                    release(last_stage);
                    scale(parts - 1);
                }
            } else {
                for (int unit = segment.begin + k_group; unit < segment.end; unit += k_groups) {
                    __syncwarp(); // for the stage before: between products it would break the pipeline
                    wait_for_copies(stage, phase);
                    const uint8_t *const activations = shared + stage * Shape::kStage;
                    const uint8_t *const codes =
                        activations + Shape::kActivations + feature_group * blocks * Shape::kRun;
                    const uint8_t *const terms_at = format.grouped() ? codes : column_terms;
                    const uint64_t operand = ptx::wgmma_operand(activations);
                    const int half_step = runs.half_step(unit);
                    // All of a stage's before any of its products: loads with branches between them break the pipeline.
                    PairedTerms<T, weights> terms[blocks][Shape::kParts];
#pragma unroll
                    for (int i = 0; i < blocks; ++i)
                        load_terms<T, true>(runs, terms_at + i * Shape::kRun, half_step, warp * 16 + g, terms[i]);
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
                                    to_integers(words[i][step], of_step.zero_terms(), to[i][s], T{});
                                    scale_integers<T>(of_step.scale_terms(), to[i][s]);
                                }
                            }
                            ptx::wgmma_fence();
#pragma unroll
                            for (int s = 0; s < of; ++s)
#pragma unroll
                                for (int i = 0; i < blocks; ++i)
                                    ptx::wgmma(sums[i], to[i][s], operand + half * tokens * 8 + (batch * of + s) * 2,
                                               unit >= segment.begin + k_groups || half + batch + s > 0 ? 1 : 0, T{});
                            ptx::wgmma_commit();
                            ptx::wgmma_wait<1>();
                            if (half + batch == 0 && last_stage >= 0)
                                release(last_stage);
                        }
                    }
                    to_next_stage();
                }
                ptx::wgmma_wait<0>();
                __syncwarp();
                if (last_stage >= 0)
                    release(last_stage);
#pragma unroll
                for (int i = 0; i < blocks; ++i)
#pragma unroll
                    for (int x = 0; x < tokens / 2; ++x) {
                        ptx::settle(sums[i][x]);
                        if (k_groups > 1 && last_stage < 0)
                            sums[i][x] = 0.0f; // fewer units than groups
                    }
            }
            ring += units;

            // ---- The sum over the groups in k -----------------------------------------------------------------------
            if constexpr (k_groups > 1) {
                ptx::barrier(1, 128 * Shape::kConsumers); // the sums before have been read
                if (k_group > 0)
                    each_fragment([&](int i, int n, int f) {
                        sums_shared[((k_group - 1) * Shape::kFragments + f) * Shape::kOwners + owner] =
                            fragment(sums[i], n);
                    });
                ptx::barrier(2, 128 * Shape::kConsumers);
                if (k_group > 0)
                    continue;
#pragma unroll 1
                for (int other = 0; other < k_groups - 1; ++other)
                    each_fragment([&](int i, int n, int f) {
                        const float4 x = sums_shared[(other * Shape::kFragments + f) * Shape::kOwners + owner];
                        sums[i][4 * n] += x.x;
                        sums[i][4 * n + 1] += x.y;
                        sums[i][4 * n + 2] += x.z;
                        sums[i][4 * n + 3] += x.w;
                    });
            }

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
            if constexpr (most_sharers(Shape::kFragments) > 1)
                if (args.sharers > 1) {
                    // No copy is under way any more: the ring is free.
                    add_cluster<Shape::kFragments, Shape::kOwners>(
                        reinterpret_cast<float4 *>(shared), owner, args.sharers,
                        [&](int f) { return fragment(sums[f / (tokens / 8)], f % (tokens / 8)); },
                        [&](int first, const auto &sum) {
                            constexpr int some = stored_at_once(Shape::kFragments);
                            output(first / (tokens / 8), first % (tokens / 8)).template store_all<some>(sum);
                        });
                    break;
                }
            if (units == p.units.value) {
#pragma unroll
                for (int i = 0; i < blocks; ++i)
                    output(i, 0).template store_all<tokens / 8>([&](int n) { return fragment(sums[i], n); });
                continue;
            }
            const int striped_tile = segment.tile - (p.tiles - p.striped);
            const int first_unit = striped_tile * p.units.value;
            const int first_cta = p.owner(first_unit);
            const int last_cta = p.owner(first_unit + p.units.value - 1);
            const auto partial = [&](int of_cta, int f) {
                const int64_t nth = 2 * of_cta + (of_cta == first_cta ? 1 : 0);
                return reinterpret_cast<float4 *>(args.partials) + (nth * Shape::kFragments + f) * Shape::kOwners +
                       owner;
            };
            each_fragment([&](int i, int n, int f) { __stcg(partial(cta, f), fragment(sums[i], n)); });
            __threadfence();
            ptx::barrier(3, Shape::kOwners);
            uint32_t *const arrivals = args.arrivals + striped_tile;
            if (owner == 0)
                is_last = atomicAdd(arrivals, 1u) == static_cast<uint32_t>(last_cta - first_cta) ? 1 : 0;
            ptx::barrier(3, Shape::kOwners);
            const bool last = is_last != 0; // written again only behind the barrier above, in another tile
            if (!last)
                continue;
            __threadfence();
            if (owner == 0)
                *arrivals = 0;
            constexpr int some = tokens / 8 % 8 == 0 ? 8 : tokens / 8 % 6 == 0 ? 6 : tokens / 8;
#pragma unroll 1
            for (int first = 0; first < Shape::kFragments; first += some) {
                float4 sum[some];
                add_parts<1>(sum, first_cta, last_cta, [&](int of_cta, int f) { return partial(of_cta, first + f); });
                output(first / (tokens / 8), first % (tokens / 8)).template store_all<some>([&](int n) {
                    return sum[n];
                });
            }
        }
    }
#endif
}

template <typename T, Weights weights, int tokens, int blocks, int feature_groups, int k_groups, int stages>
Instance wgmma_instance(const char *name, int32_t number) {
    using Shape = WgmmaShape<weights, tokens, blocks, feature_groups, k_groups, stages>;
    static_assert(k_groups < stages, "a stage is released when the group's next has come");
    static_assert(Shape::kSharedSize + 1024 <= 227 * 1024, "with the barriers, what a CTA of Hopper may have");
    Instance instance = {};
    instance.name = name;
    instance.number = number;
    instance.family = Family::Wgmma;
    instance.a_type = kTypeOf<T>;
    instance.weights = weights;
    instance.tokens = tokens;
    instance.features = Shape::kFeatures;
    instance.k_groups = 2; // blocks of 64 rows in a unit
    instance.ctas_per_sm = 1;
    instance.stages = stages;
    instance.threads = Shape::kThreads;
    instance.shared_size = Shape::kSharedSize;
    instance.partial_size = Shape::kPartialSize;
    instance.sharers = most_sharers(Shape::kFragments);
    // For batch invariance, which wants many CTAs without cutting k.
    if (blocks == 1 && feature_groups == 1 && k_groups == 2)
        instance.order = Shape::kScalesSums ? 1 : 2;
    instance.function =
        reinterpret_cast<const void *>(&sm90_w4a16_wgmma<T, weights, tokens, blocks, feature_groups, k_groups, stages>);
    return instance;
}

} // namespace marlin::cuda
