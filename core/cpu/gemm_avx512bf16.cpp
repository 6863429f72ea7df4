// The kernels for AVX-512 with BF16 dot products: every product exact, FP16 activations at half the BF16 rate.
//
// A code minus eight is exact in BF16 and an activation is an exact sum of BF16 parts (bf16_parts.h), so vdpbf16ps
// gives exact products and adds them in FP32. Each part has its own accumulator; a scale block ends with the sum of the
// parts, largest last, and one multiply-add by the scale. Nothing of this depends on the tile: a row has the same bits
// in all.
//
// Index names: r = row of the row block, b = block of 16 features (one register), p = part, j = pair of rows of W
// inside a chunk (2:4: quad).
#include "cpu/bf16_parts.h"

#include <utility>

#include "cpu/epilogue.h"

namespace marlin::cpu {
namespace {

// Packed positions, from core/layout/positions.h: a chunk of codes is 64 features x 8 stored rows, one of metadata
// 64 features x 8 quads, 64 bytes a block of features both.
constexpr int64_t kChunkSize = 256;
constexpr int64_t kBlockSize = 64;
constexpr int kBlockFeatures = 16;

// How far weights are fetched ahead of their use, in bytes. A run holds several streams (codes, scales, metadata): the
// processor's own prefetching follows one address rising evenly better than these.
constexpr int64_t kFetchAhead = 4096;
constexpr int64_t kLine = 64;

// 16-bit lanes moved right, so that the field that starts at bit `shift` is the lowest.
template <int shift>
__m512i shift_right(__m512i x) {
    return shift == 0 ? x : _mm512_srli_epi16(x, shift);
}

// 32 BF16 from 16-bit indices. vpermw looks at the low five bits of an index: with a table of 16 values twice (2:4: of
// 4 values eight times) the bits above a code need no mask.
__m512bh look_up(__m512i index, __m512i table) {
    return reinterpret_cast<__m512bh>(_mm512_permutexvar_epi16(index, table));
}

// Code minus eight in two's complement, as BF16.
__m512i code_table() {
    return _mm512_broadcast_i64x4(_mm256_setr_epi16(
        0, 0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0, static_cast<short>(0xc100),
        static_cast<short>(0xc0e0), static_cast<short>(0xc0c0), static_cast<short>(0xc0a0), static_cast<short>(0xc080),
        static_cast<short>(0xc040), static_cast<short>(0xc000), static_cast<short>(0xbf80)));
}

// Brings `size` bytes, kFetchAhead from `address`, towards the caches.
void fetch(const std::byte *address, int64_t size) {
    const auto *begin = reinterpret_cast<const char *>(address) + kFetchAhead;
    for (int64_t offset = 0; offset < size; offset += kLine)
        _mm_prefetch(begin + offset, _MM_HINT_T0);
}

// Which positions a 2:4 column has kept is its own: with zero points or offsets (`kept_sums`) the activations at them
// are summed beside the products, one sum a feature.
template <int rows, int blocks, int parts, bool kept_sums>
struct DotTile {
    __m512 sums[rows][blocks][parts];
    __m512 kept[rows][blocks]; // untouched unless kept_sums

    void clear() {
        for (int r = 0; r < rows; ++r)
            for (int b = 0; b < blocks; ++b) {
                for (int p = 0; p < parts; ++p)
                    sums[r][b][p] = _mm512_setzero_ps();
                if constexpr (kept_sums)
                    kept[r][b] = _mm512_setzero_ps();
            }
    }
    // Smallest part first.
    __m512 sum_of_parts(int r, int b) const {
        __m512 sum = sums[r][b][parts - 1];
        for (int p = parts - 2; p >= 0; --p)
            sum = _mm512_add_ps(sum, sums[r][b][p]);
        return sum;
    }

    template <int j>
    void dense_step(const __m512i (&codes)[blocks], __m512i table, const uint32_t *a) {
        __m512bh w[blocks];
        for (int b = 0; b < blocks; ++b)
            w[b] = look_up(shift_right<4 * j>(codes[b]), table);
        for (int r = 0; r < rows; ++r)
            for (int p = 0; p < parts; ++p) {
                const auto pair = static_cast<int>(a[(j * rows + r) * parts + p]);
                const auto activations = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
                for (int b = 0; b < blocks; ++b)
                    sums[r][b][p] = _mm512_dpbf16_ps(sums[r][b][p], w[b], activations);
            }
    }
    void dense_chunk(const std::byte *chunk, __m512i table, const uint32_t *a) {
        __m512i codes[blocks];
        for (int b = 0; b < blocks; ++b)
            codes[b] = _mm512_loadu_si512(chunk + b * kBlockSize);
        dense_step<0>(codes, table, a);
        dense_step<1>(codes, table, a);
        dense_step<2>(codes, table, a);
        dense_step<3>(codes, table, a);
    }

    // The activations at each feature's kept positions are selected, so a pruned position is not even multiplied by
    // zero. On Zen 4 a selection costs less than the dot products over zeros that it saves.
    template <int quad>
    void sparse_step(const __m512i (&codes)[blocks], const __m512i (&positions)[blocks], __m512i table,
                     const uint64_t *a) {
        const auto ones = reinterpret_cast<__m512bh>(_mm512_set1_epi16(0x3f80));
        __m512bh w[blocks];
        __m512i index[blocks];
        for (int b = 0; b < blocks; ++b) {
            w[b] = look_up(shift_right<quad % 4 * 4>(codes[b]), table);
            index[b] = shift_right<quad * 2>(positions[b]);
        }
        for (int r = 0; r < rows; ++r)
            for (int p = 0; p < parts; ++p) {
                const __m512i quads = _mm512_set1_epi64(static_cast<int64_t>(a[(quad * rows + r) * parts + p]));
                for (int b = 0; b < blocks; ++b) {
                    const __m512bh activations = look_up(index[b], quads);
                    sums[r][b][p] = _mm512_dpbf16_ps(sums[r][b][p], w[b], activations);
                    if constexpr (kept_sums)
                        kept[r][b] = _mm512_dpbf16_ps(kept[r][b], ones, activations);
                }
            }
    }
    template <int half>
    void sparse_half(const std::byte *chunk, const __m512i (&positions)[blocks], __m512i table, const uint64_t *a) {
        __m512i codes[blocks];
        for (int b = 0; b < blocks; ++b)
            codes[b] = _mm512_loadu_si512(chunk + b * kBlockSize);
        sparse_step<4 * half>(codes, positions, table, a);
        sparse_step<4 * half + 1>(codes, positions, table, a);
        sparse_step<4 * half + 2>(codes, positions, table, a);
        sparse_step<4 * half + 3>(codes, positions, table, a);
    }
    // Fetches twice `fetch_size` bytes, half by half: in one go they hold up the loads behind them.
    void sparse_chunk(const std::byte *chunk, const std::byte *metadata, __m512i table, const uint64_t *a,
                      const std::byte *next, int64_t fetch_size) {
        __m512i positions[blocks];
        for (int b = 0; b < blocks; ++b)
            positions[b] = _mm512_loadu_si512(metadata + b * kBlockSize);
        fetch(next, fetch_size);
        sparse_half<0>(chunk, positions, table, a);
        fetch(next + fetch_size, fetch_size);
        sparse_half<1>(chunk + kChunkSize, positions, table, a);
    }
};

// One run for the features of one tile: scale block after scale block, each scaled into the totals.
template <bool sparse, bool kept_sums, int rows, int blocks, int parts>
void dot_run(const ColumnArgs &args, int64_t run, int first_block, float *totals) {
    constexpr int64_t step_k = 32; // divides every scale block; a chunk of metadata
    const __m512i table = code_table();
    const std::byte *codes = args.codes + run * args.run_size + first_block * kBlockSize;
    const std::byte *metadata = sparse ? args.metadata + run * args.run_size + first_block * kBlockSize : nullptr;
    const int64_t first_scale_block = run * args.blocks_in_run;
    // Two bytes for every part of every activation.
    const std::byte *a = static_cast<const std::byte *>(args.a) + first_scale_block * args.block_k * rows * parts * 2;
    // 2:4: the whole run, streams and all, at the pace at which it is used.
    const std::byte *next = codes;
    const int64_t pace = args.run_size * step_k / (args.blocks_in_run * args.block_k);
    for (int64_t scale_block = 0; scale_block < args.blocks_in_run; ++scale_block) {
        DotTile<rows, blocks, parts, kept_sums> tile;
        tile.clear();
        for (int64_t k = 0; k < args.block_k; k += step_k) {
            if constexpr (sparse) {
                tile.sparse_chunk(codes, metadata, table, reinterpret_cast<const uint64_t *>(a), next,
                                  first_block == 0 ? pace / 2 : 0);
                next += pace;
                codes += 2 * kChunkSize;
                metadata += kChunkSize;
                a += step_k * rows * parts * 2;
            } else {
                for (int64_t chunk = 0; chunk < step_k / 8; ++chunk) {
                    if (first_block == 0)
                        fetch(codes, kChunkSize);
                    tile.dense_chunk(codes, table, reinterpret_cast<const uint32_t *>(a));
                    codes += kChunkSize;
                    a += 8 * rows * parts * 2;
                }
            }
        }
        for (int b = 0; b < blocks; ++b) {
            const int feature = (first_block + b) * kBlockFeatures;
            const BlockScales<Avx512> scales(args, run, scale_block, feature);
            for (int r = 0; r < rows; ++r) {
                float *total = totals + r * kFeatures + feature;
                const __m512 products = tile.sum_of_parts(r, b);
                if constexpr (kept_sums)
                    scales.add_to(total, products, tile.kept[r][b]);
                else if (sparse || args.zero_type == Type::None)
                    scales.add_to(total, products);
                else
                    scales.add_to(total, products,
                                  Avx512::set(args.sums[(first_scale_block + scale_block) * rows + r]));
            }
        }
    }
}

// Blocks of 16 features a tile: at most 24 accumulators beside decoded codes, table and temporaries. One row has four
// blocks: as many chains of dot products as hide their latency.
constexpr int blocks_for(bool sparse, bool kept_sums, int rows, int parts) {
    const int most = sparse ? 20 : 24;
    const int fit = most / (rows * (kept_sums ? parts + 1 : parts));
    return fit >= 4 ? 4 : fit >= 2 ? 2 : 1;
}

// A whole column. All tiles of a run are done before the next run, so that its part of A stays in the L1 cache.
template <bool sparse, bool kept_sums, int rows, int parts>
void dot_column(const ColumnArgs &args) {
    constexpr int blocks = blocks_for(sparse, kept_sums, rows, parts);
    alignas(64) float totals[rows * kFeatures] = {};
    for (int64_t run = 0; run < args.runs; ++run)
        for (int block = 0; block < kFeatures / kBlockFeatures; block += blocks)
            dot_run<sparse, kept_sums, rows, blocks, parts>(args, run, block, totals);
    write_c<Avx512>(args, totals);
}

constexpr int kMaxRows = 8;

template <bool sparse, bool kept_sums, int parts, int... rows>
void multiply_rows(const ColumnArgs &args, std::integer_sequence<int, rows...>) {
    static constexpr void (*columns[])(const ColumnArgs &) = {dot_column<sparse, kept_sums, rows + 1, parts>...};
    columns[args.rows - 1](args);
}

template <bool sparse, bool kept_sums>
void multiply_parts(const ColumnArgs &args) {
    constexpr std::make_integer_sequence<int, kMaxRows> rows;
    switch (parts_of(args.a_type)) {
    case 1:
        return multiply_rows<sparse, kept_sums, 1>(args, rows);
    case 2:
        return multiply_rows<sparse, kept_sums, 2>(args, rows);
    default:
        return multiply_rows<sparse, kept_sums, 3>(args, rows);
    }
}

void multiply_dense(const ColumnArgs &args) {
    multiply_parts<false, false>(args);
}

void multiply_24(const ColumnArgs &args) {
    if (args.zero_type == Type::None)
        multiply_parts<true, false>(args);
    else
        multiply_parts<true, true>(args);
}

void repack_dense(const RepackArgs &args) {
    switch (parts_of(args.a_type)) {
    case 1:
        return repack_dense_parts<1>(args);
    case 2:
        return repack_dense_parts<2>(args);
    default:
        return repack_dense_parts<3>(args);
    }
}

void repack_24(const RepackArgs &args) {
    switch (parts_of(args.a_type)) {
    case 1:
        return repack_24_parts<1>(args);
    case 2:
        return repack_24_parts<2>(args);
    default:
        return repack_24_parts<3>(args);
    }
}

} // namespace

const Kernel kernel_avx512_bf16 = {
    "cpu_avx512_bf16", 4, Isa::Avx512Bf16, false, {{4, kMaxRows}, {2, kMaxRows}, {6, kMaxRows}}, repack_dense,
    multiply_dense,
};
const Kernel kernel_avx512_bf16_24 = {
    "cpu_avx512_bf16_24", 14, Isa::Avx512Bf16, true, {{4, kMaxRows}, {2, kMaxRows}, {6, kMaxRows}}, repack_24,
    multiply_24,
};

} // namespace marlin::cpu
