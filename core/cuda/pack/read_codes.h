// Bringing codes that stand one a byte into a tile.
#pragma once

#include "cuda/pack/read_words.h"
#include "cuda/pack/scan.h"

namespace marlin::cuda {

// Unsigned codes of signed ones, modulo 256; codes out of range give more than 15.
MARLIN_HD constexpr uint8_t code_bias(Type src_type) {
    return src_type == Type::S4 ? 8 : 0;
}

template <bool along_k>
struct PlainReader {
    static constexpr bool kAlongK = along_k;
    static constexpr int kCodes = 16; // of a vector
    static constexpr int kVectorsOfLine = (along_k ? kRows : kFeatures) / kCodes;

    // `meanwhile` runs while the source is under way.
    template <typename Block, typename Tile, typename Meanwhile>
    MARLIN_HD static void read(const Block &block, const PackTask &task, const TilePlace &to, Tile &tile,
                               Meanwhile meanwhile) {
        if (task.aligned && to.features == kFeatures && (!along_k || is_whole(to, task.in_order(), task.k)))
            return read_vectors(block, task, to, tile, meanwhile);
        meanwhile();
        read_elements(block, task, to, tile, [&](int64_t k, int64_t n) {
            const auto code = static_cast<uint8_t>(task.src[index_of(task, k, n)]);
            return static_cast<uint8_t>(code + code_bias(task.src_type));
        });
    }

    // Whether there is nothing but codes in a tile's worth of the source, whose rows are taken in its own order.
    template <typename Block>
    MARLIN_HD static bool holds_codes(const Block &block, const PackTask &task, const TilePlace &place) {
        const uint32_t bias = code_bias(task.src_type);
        uint32_t bits = 0;
        if (task.aligned && is_whole(place, true, task.k)) {
            const std::byte *const first = task.src + index_of(task, place.first_row, place.first_feature);
            MARLIN_UNROLL
            for (int i = block.thread(); i < kRows * kFeatures / kCodes; i += Block::kThreads) {
                const Vector vector = load_vector(first + index_of(task, row_of(i), feature_of(i)));
                MARLIN_UNROLL
                for (int w = 0; w < 4; ++w)
                    bits |= add_to_bytes(vector.word[w], bias);
            }
        } else {
            MARLIN_NO_UNROLL
            for (int i = block.thread(); i < kRows * kFeatures; i += Block::kThreads) {
                const int r = along_k ? i % kRows : i / kFeatures;
                const int f = along_k ? i / kRows : i % kFeatures;
                if (place.first_row + r < task.k && f < place.features)
                    bits |=
                        (static_cast<uint32_t>(task.src[index_of(task, place.first_row + r, place.first_feature + f)]) +
                         bias) &
                        255u;
            }
        }
        return (bits & 0xf0f0f0f0u) == 0;
    }

private:
    MARLIN_HD static int64_t index_of(const PackTask &task, int64_t k, int64_t n) {
        return along_k ? n * task.ld_src + k : k * task.ld_src + n;
    }

    template <typename Block, typename Tile, typename Meanwhile>
    MARLIN_HD static void read_vectors(const Block &block, const PackTask &task, const TilePlace &to, Tile &tile,
                                       Meanwhile meanwhile) {
        constexpr int kVectors = kRows * kFeatures / kCodes;
        constexpr int kBatch = kVectors / Block::kThreads < 4 ? kVectors / Block::kThreads : 4;
        const uint32_t bias = code_bias(task.src_type);
        for (int begin = 0; begin < kVectors; begin += kBatch * Block::kThreads) {
            Vector vectors[kBatch];
            MARLIN_UNROLL
            for (int i = 0; i < kBatch; ++i) {
                const int item = begin + i * Block::kThreads + block.thread();
                const int r = row_of(item);
                const int64_t k = r < to.rows ? task.order.source_row(to.first_row + r) : -1;
                const int64_t n = to.first_feature + feature_of(item);
                vectors[i] = {}; // padding has its codes later
                if (k >= 0)
                    vectors[i] = load_vector(task.src + index_of(task, k, n));
            }
            if (begin == 0)
                meanwhile();
            MARLIN_UNROLL
            for (int i = 0; i < kBatch; ++i) {
                const int item = begin + i * Block::kThreads + block.thread();
                auto *const at = reinterpret_cast<uint32_t *>(&tile.at(row_of(item), feature_of(item)));
                MARLIN_UNROLL
                for (int word = 0; word < 4; ++word)
                    at[word] = add_to_bytes(vectors[i].word[word], bias);
            }
        }
    }
    MARLIN_HD static constexpr int row_of(int item) {
        return along_k ? item % kVectorsOfLine * kCodes : item / kVectorsOfLine;
    }
    MARLIN_HD static constexpr int feature_of(int item) {
        return along_k ? item / kVectorsOfLine : item % kVectorsOfLine * kCodes;
    }
};

} // namespace marlin::cuda
