// A tile of FP32 values in shared memory, and how it is filled.
#pragma once

#include "cuda/pack/arithmetic.h"
#include "cuda/pack/code_tile.h"
#include "layout/element.h"

namespace marlin::cuda {

template <bool along_k>
struct ValueTile {
    using Shape = ValueShape<along_k>;
    static constexpr bool kAlongK = along_k;

    alignas(16) float value[Shape::kSize]; // 0 where padding is
    alignas(16) int32_t source_row[kRows];

    MARLIN_HD float &at(int row, int feature) { return value[Shape::offset(row, feature)]; }
    // Rows 4 * quad .. 4 * quad + 3 of a feature.
    MARLIN_HD void read_quad(int quad, int feature, float (&to)[4]) const {
        const float *const from = value + Shape::offset(4 * quad, feature);
        if constexpr (along_k) {
            const Vector vector = load_vector(reinterpret_cast<const std::byte *>(from));
            MARLIN_UNROLL
            for (int p = 0; p < 4; ++p)
                to[p] = std::bit_cast<float>(vector.word[p]);
        } else {
            MARLIN_UNROLL
            for (int p = 0; p < 4; ++p)
                to[p] = from[p * Shape::kRowStride];
        }
    }
};

// NaN from the first value that is no number on, else 0.
struct FiniteCheck {
    float sum = 0.0f;

    MARLIN_HD void see(float value) { sum = fused_multiply_add(value, 0.0f, sum); }
    MARLIN_HD bool good() const { return sum == 0.0f; }
};

// The values of one type, as they stand in a vector.
template <Type type>
struct Values {
    static constexpr int kSize = static_cast<int>(size_of(type));
    static constexpr int kEach = 16 / kSize;

    MARLIN_HD static float of(const Vector &vector, int i) {
        if constexpr (type == Type::F32)
            return std::bit_cast<float>(vector.word[i]);
        else
            return widen(static_cast<uint16_t>(vector.word[i / 2] >> (i % 2 * 16)), type);
    }
};

// Row r of the tile, counted from its first row where rows are in order, else from that of the matrix; -1 for padding.
MARLIN_HD inline int tile_row(const PackTask &task, const TilePlace &from, int r) {
    if (r >= from.rows)
        return -1;
    if (!task.in_order())
        return task.order.perm[from.first_row + r];
    return from.first_row + r < task.k ? r : -1;
}

// A line is what follows in memory: a row of 64 features, or 128 rows of a feature. Threads take the same place of
// every line that is theirs.
template <Type type, typename Block, bool along_k>
MARLIN_HD void read_value_vectors(const Block &block, const PackTask &task, const TilePlace &from, FiniteCheck &check,
                                  ValueTile<along_k> &tile) {
    using V = Values<type>;
    constexpr int kLines = along_k ? kFeatures : kRows;
    constexpr int kVectors = (along_k ? kRows : kFeatures) / V::kEach; // of a line
    constexpr int kLinesAtOnce = Block::kThreads < kVectors ? 1 : Block::kThreads / kVectors;
    constexpr int kBatch = kLines / kLinesAtOnce < 4 ? kLines / kLinesAtOnce : 4;
    const int64_t pitch = task.ld_src * V::kSize;
    for (int v = block.thread() % kVectors; v < kVectors; v += Block::kThreads) {
        // The first line is that of the tile, or, of rows in any order, of the matrix.
        const int64_t first_k = along_k || task.in_order() ? from.first_row : 0;
        const std::byte *const first =
            task.src + (along_k ? from.first_feature * pitch + (from.first_row + v * V::kEach) * V::kSize
                                : first_k * pitch + (from.first_feature + v * V::kEach) * V::kSize);
        for (int begin = block.thread() / kVectors; begin < kLines; begin += kBatch * kLinesAtOnce) {
            Vector vectors[kBatch];
            MARLIN_UNROLL
            for (int i = 0; i < kBatch; ++i) {
                int line = begin + i * kLinesAtOnce;
                if constexpr (!along_k)
                    line = tile_row(task, from, line);
                vectors[i] = {};
                if (line >= 0)
                    vectors[i] = load_vector(first + line * pitch);
            }
            MARLIN_UNROLL
            for (int i = 0; i < kBatch; ++i) {
                const int line = begin + i * kLinesAtOnce;
                float *const to = tile.value + (along_k ? ValueShape<along_k>::offset(v * V::kEach, line)
                                                        : ValueShape<along_k>::offset(line, v * V::kEach));
                MARLIN_UNROLL
                for (int part = 0; part < V::kEach; part += 4) {
                    Vector four;
                    MARLIN_UNROLL
                    for (int j = 0; j < 4; ++j) {
                        const float value = V::of(vectors[i], part + j);
                        check.see(value);
                        four.word[j] = std::bit_cast<uint32_t>(value);
                    }
                    store_vector(reinterpret_cast<std::byte *>(to + part), four);
                }
            }
        }
    }
}

template <typename Block, bool along_k>
MARLIN_HD void read_value_elements(const Block &block, const PackTask &task, const TilePlace &from, FiniteCheck &check,
                                   ValueTile<along_k> &tile) {
    for (int i = block.thread(); i < kRows * kFeatures; i += Block::kThreads) {
        const int r = along_k ? i % kRows : i / kFeatures;
        const int f = along_k ? i / kRows : i % kFeatures;
        const int64_t k = r < from.rows ? task.order.source_row(from.first_row + r) : -1;
        const int64_t n = from.first_feature + f;
        const int64_t index = along_k ? n * task.ld_src + k : k * task.ld_src + n;
        const bool padding = k < 0 || f >= from.features;
        const float value = padding ? 0.0f : read_value(task.src + index * size_of(task.src_type), task.src_type);
        check.see(value);
        tile.at(r, f) = value;
    }
}

template <typename Block, bool along_k>
MARLIN_HD void read_values(const Block &block, const PackTask &task, const TilePlace &from, FiniteCheck &check,
                           ValueTile<along_k> &tile) {
    load_source_rows(block, task, from, tile.source_row);
    if (!task.aligned || from.features < kFeatures || (along_k && !is_whole(from, task.in_order(), task.k)))
        read_value_elements(block, task, from, check, tile);
    else if (task.src_type == Type::F32)
        read_value_vectors<Type::F32>(block, task, from, check, tile);
    else if (task.src_type == Type::BF16)
        read_value_vectors<Type::BF16>(block, task, from, check, tile);
    else
        read_value_vectors<Type::F16>(block, task, from, check, tile);
}

} // namespace marlin::cuda
