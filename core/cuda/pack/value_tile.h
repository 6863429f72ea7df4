// A tile of FP32 values in shared memory: bringing it there, and choosing what 2:4 keeps.
#pragma once

#include "cuda/pack/code_tile.h"

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

// The values of one type, as they stand in a vector and alone.
template <Type type>
struct Values {
    static constexpr int kSize = static_cast<int>(size_of(type));
    static constexpr int kEach = 16 / kSize;

    MARLIN_HD static float of(const Vector &vector, int i) {
        if constexpr (type == Type::F32)
            return std::bit_cast<float>(vector.word[i]);
        else
            return half_to_f32(static_cast<uint16_t>(vector.word[i / 2] >> (i % 2 * 16)), type);
    }
};

// Whether all values that were read are numbers.
template <Type type, typename Block, bool along_k>
MARLIN_HD bool read_value_vectors(const Block &block, const PackTask &task, const TilePlace &from,
                                  ValueTile<along_k> &tile) {
    using V = Values<type>;
    constexpr int kVectorsOfLine = (along_k ? kRows : kFeatures) / V::kEach;
    constexpr int kVectors = kRows * kFeatures / V::kEach;
    constexpr int kBatch = kVectors / Block::kThreads < 4 ? kVectors / Block::kThreads : 4;
    bool good = true;
    for (int begin = 0; begin < kVectors; begin += kBatch * Block::kThreads) {
        Vector vectors[kBatch];
        MARLIN_UNROLL
        for (int i = 0; i < kBatch; ++i) {
            const int item = begin + i * Block::kThreads + block.thread();
            const int r = along_k ? item % kVectorsOfLine * V::kEach : item / kVectorsOfLine;
            const int f = along_k ? item / kVectorsOfLine : item % kVectorsOfLine * V::kEach;
            const int64_t k = r < from.rows ? task.order.source_row(from.first_row + r) : -1;
            const int64_t n = from.first_feature + f;
            vectors[i] = {};
            if (k >= 0)
                vectors[i] = load_vector(task.src + (along_k ? n * task.ld_src + k : k * task.ld_src + n) * V::kSize);
        }
        MARLIN_UNROLL
        for (int i = 0; i < kBatch; ++i) {
            const int item = begin + i * Block::kThreads + block.thread();
            const int r = along_k ? item % kVectorsOfLine * V::kEach : item / kVectorsOfLine;
            const int f = along_k ? item / kVectorsOfLine : item % kVectorsOfLine * V::kEach;
            MARLIN_UNROLL
            for (int part = 0; part < V::kEach; part += 4) {
                Vector four;
                MARLIN_UNROLL
                for (int j = 0; j < 4; ++j) {
                    const float value = V::of(vectors[i], part + j);
                    good = good && is_finite(value);
                    four.word[j] = std::bit_cast<uint32_t>(value);
                }
                store_vector(reinterpret_cast<std::byte *>(&tile.at(r, f) + part), four);
            }
        }
    }
    return good;
}

template <typename Block, bool along_k>
MARLIN_HD bool read_value_elements(const Block &block, const PackTask &task, const TilePlace &from,
                                   ValueTile<along_k> &tile) {
    bool good = true;
    for (int i = block.thread(); i < kRows * kFeatures; i += Block::kThreads) {
        const int r = along_k ? i % kRows : i / kFeatures;
        const int f = along_k ? i / kRows : i % kFeatures;
        const int64_t k = r < from.rows ? task.order.source_row(from.first_row + r) : -1;
        const int64_t n = from.first_feature + f;
        float value = 0.0f;
        if (k >= 0 && f < from.features)
            value =
                read_value(task.src + (along_k ? n * task.ld_src + k : k * task.ld_src + n) * size_of(task.src_type),
                           task.src_type);
        good = good && is_finite(value);
        tile.at(r, f) = value;
    }
    return good;
}

template <typename Block, bool along_k>
MARLIN_HD bool read_values(const Block &block, const PackTask &task, const TilePlace &from, ValueTile<along_k> &tile) {
    load_source_rows(block, task, from, tile);
    const bool in_order = task.order.perm == nullptr && from.first_row + kRows <= task.k;
    if (!task.aligned || from.features < kFeatures || (along_k && !in_order))
        return read_value_elements(block, task, from, tile);
    if (task.src_type == Type::F32)
        return read_value_vectors<Type::F32>(block, task, from, tile);
    if (task.src_type == Type::BF16)
        return read_value_vectors<Type::BF16>(block, task, from, tile);
    return read_value_vectors<Type::F16>(block, task, from, tile);
}

} // namespace marlin::cuda
