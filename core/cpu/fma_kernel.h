// The multiply with FP32 fused multiply-adds, dense and 2:4, written once for vectors of any width.
// For instruction-set files only: everything is local to the file that includes it.
//
// Index names: r = row of the row block, v = vector of features, k = row of W inside a chunk, q = quad (four logical
// rows of 2:4 weights), slot = first or second kept value of a quad.
// Re-packed A: dense [k][row], 2:4 [quad][row][4], all FP32.
#pragma once

#include "cpu/epilogue.h"
#include "cpu/load_a.h"

namespace marlin::cpu {
namespace {

// Packed positions, from core/layout/positions.h: a chunk of codes is 64 features x 8 stored rows, one of metadata
// 64 features x 8 quads, 4 bytes a feature both. Bits 4 * pair of a feature's word are row 2 * pair, bits
// 16 + 4 * pair row 2 * pair + 1; bits 2 * q are the position of quad q's first kept value, 16 + 2 * q of its second.
constexpr int64_t kChunkSize = 256;
constexpr int kFeatureSize = 4;

template <typename V>
void repack_dense_f32(const RepackArgs &args) {
    auto *packed = static_cast<float *>(args.packed);
    for_each_block<V>(args, [&](int32_t row, int64_t k0, const float *block) {
        float *out = packed + k0 * args.rows + row;
        for (int64_t k = 0; k < args.block_k; ++k)
            out[k * args.rows] = block[k];
    });
}

template <typename V>
void repack_24_f32(const RepackArgs &args) {
    auto *packed = static_cast<float *>(args.packed);
    for_each_block<V>(args, [&](int32_t row, int64_t k0, const float *block) {
        float *out = packed + k0 * args.rows + row * 4;
        for (int64_t q = 0; q < args.block_k / 4; ++q)
            __builtin_memcpy(out + q * 4 * args.rows, block + q * 4, 16);
    });
}

// Which positions a 2:4 column has kept is its own: with zero points or offsets (`kept_sums`) the activations at them
// are summed beside the products, one sum a feature.
//
// Accumulators of one scale block: `rows` x `vectors`.
template <typename V, int rows, int vectors, bool kept_sums>
struct FmaTile {
    using Float = typename V::Float;
    using Int = typename V::Int;
    typename V::Decoder decoder;
    Float sums[rows][vectors];
    Float kept[rows][vectors]; // untouched unless kept_sums

    void clear() {
        for (int r = 0; r < rows; ++r)
            for (int v = 0; v < vectors; ++v) {
                sums[r][v] = V::zero();
                if constexpr (kept_sums)
                    kept[r][v] = V::zero();
            }
    }

    template <int k>
    void dense_step(const Int (&codes)[vectors], const float *a) {
        constexpr int shift = k % 2 * 16 + k / 2 * 4;
        Float w[vectors];
        for (int v = 0; v < vectors; ++v)
            w[v] = decoder.template decode<shift>(codes[v]);
        for (int r = 0; r < rows; ++r) {
            const Float activation = V::set(a[k * rows + r]);
            for (int v = 0; v < vectors; ++v)
                sums[r][v] = V::fma(w[v], activation, sums[r][v]);
        }
    }
    void dense_chunk(const std::byte *chunk, const float *a) {
        Int codes[vectors];
        for (int v = 0; v < vectors; ++v)
            codes[v] = V::load_bits(chunk + v * V::width * kFeatureSize);
        dense_step<0>(codes, a);
        dense_step<1>(codes, a);
        dense_step<2>(codes, a);
        dense_step<3>(codes, a);
        dense_step<4>(codes, a);
        dense_step<5>(codes, a);
        dense_step<6>(codes, a);
        dense_step<7>(codes, a);
    }

    // The activation at each feature's kept position is selected, so a pruned position is not even multiplied by zero.
    template <int q, int slot>
    void sparse_step(const Int (&codes)[vectors], const Int (&positions)[vectors], const float *a) {
        Float w[vectors];
        Int index[vectors];
        for (int v = 0; v < vectors; ++v) {
            w[v] = decoder.template decode<slot * 16 + q % 4 * 4>(codes[v]);
            index[v] = V::template shift_right<slot * 16 + q * 2>(positions[v]);
        }
        for (int r = 0; r < rows; ++r) {
            const Float quad = V::load_quad(a + (q * rows + r) * 4);
            for (int v = 0; v < vectors; ++v) {
                const Float activation = V::select(quad, index[v]);
                sums[r][v] = V::fma(w[v], activation, sums[r][v]);
                if constexpr (kept_sums)
                    kept[r][v] = V::add(kept[r][v], activation);
            }
        }
    }
    // Four quads of one chunk of codes, the first or second half of a chunk of metadata.
    template <int half>
    void sparse_half(const std::byte *chunk, const Int (&positions)[vectors], const float *a) {
        Int codes[vectors];
        for (int v = 0; v < vectors; ++v)
            codes[v] = V::load_bits(chunk + v * V::width * kFeatureSize);
        sparse_step<4 * half, 0>(codes, positions, a);
        sparse_step<4 * half, 1>(codes, positions, a);
        sparse_step<4 * half + 1, 0>(codes, positions, a);
        sparse_step<4 * half + 1, 1>(codes, positions, a);
        sparse_step<4 * half + 2, 0>(codes, positions, a);
        sparse_step<4 * half + 2, 1>(codes, positions, a);
        sparse_step<4 * half + 3, 0>(codes, positions, a);
        sparse_step<4 * half + 3, 1>(codes, positions, a);
    }
    void sparse_chunk(const std::byte *chunk, const std::byte *metadata, const float *a) {
        Int positions[vectors];
        for (int v = 0; v < vectors; ++v)
            positions[v] = V::load_bits(metadata + v * V::width * kFeatureSize);
        sparse_half<0>(chunk, positions, a);
        sparse_half<1>(chunk + kChunkSize, positions, a);
    }
};

// One run for the features of one tile: block after block, each scaled into the totals.
template <typename V, bool sparse, bool kept_sums, int rows, int vectors>
void fma_run(const ColumnArgs &args, int64_t run, int first_feature, float *totals) {
    FmaTile<V, rows, vectors, kept_sums> tile;
    const int64_t first_block = run * args.blocks_in_run;
    const std::byte *codes = args.codes + run * args.run_size + first_feature * kFeatureSize;
    const std::byte *metadata = sparse ? args.metadata + run * args.run_size + first_feature * kFeatureSize : nullptr;
    const float *a = static_cast<const float *>(args.a) + first_block * args.block_k * rows;
    for (int64_t block = 0; block < args.blocks_in_run; ++block) {
        tile.clear();
        if constexpr (sparse) {
            for (int64_t k = 0; k < args.block_k; k += 32) {
                tile.sparse_chunk(codes, metadata, a);
                codes += 2 * kChunkSize;
                metadata += kChunkSize;
                a += 32 * rows;
            }
        } else {
            for (int64_t k = 0; k < args.block_k; k += 8) {
                tile.dense_chunk(codes, a);
                codes += kChunkSize;
                a += 8 * rows;
            }
        }
        for (int v = 0; v < vectors; ++v) {
            const int feature = first_feature + v * V::width;
            const BlockScales<V> scales(args, run, block, feature);
            for (int r = 0; r < rows; ++r) {
                float *total = totals + r * kFeatures + feature;
                if constexpr (kept_sums)
                    scales.add_to(total, tile.sums[r][v], tile.kept[r][v]);
                else if (sparse || args.zero_type == Type::None)
                    scales.add_to(total, tile.sums[r][v]);
                else
                    scales.add_to(total, tile.sums[r][v], V::set(args.sums[(first_block + block) * rows + r]));
            }
        }
    }
}

// A whole column. All tiles of a run are done before the next run, so that its part of A stays in the L1 cache.
template <typename V, bool sparse, bool kept_sums, int rows, int vectors>
void fma_column(const ColumnArgs &args) {
    alignas(64) float totals[rows * kFeatures] = {};
    for (int64_t run = 0; run < args.runs; ++run)
        for (int feature = 0; feature < kFeatures; feature += vectors * V::width)
            fma_run<V, sparse, kept_sums, rows, vectors>(args, run, feature, totals);
    write_c<V>(args, totals);
}

} // namespace
} // namespace marlin::cpu
