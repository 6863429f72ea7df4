// Bringing codes that stand one a byte into a tile.
#pragma once

#include "cuda/pack/read_words.h"

namespace marlin::cuda {

// Unsigned codes of signed ones, modulo 256; codes out of range give more than 15.
MARLIN_HD constexpr uint8_t code_bias(Type src_type) {
    return src_type == Type::S4 ? 8 : 0;
}
// The same for four bytes at once, without carries between them.
MARLIN_HD constexpr uint32_t add_to_bytes(uint32_t bytes, uint32_t bias) {
    return ((bytes & 0x7f7f7f7fu) + bias * 0x01010101u) ^ (bytes & 0x80808080u);
}

template <bool along_k>
struct PlainReader {
    static constexpr bool kAlongK = along_k;
    static constexpr int kCodes = 16; // of a vector
    static constexpr int kVectorsOfLine = (along_k ? kRows : kFeatures) / kCodes;

    template <typename Block, typename Tile>
    MARLIN_HD static void read(const Block &block, const PackTask &task, const TilePlace &to, Tile &tile) {
        const bool in_order = task.order.perm == nullptr && to.first_row + kRows <= task.k;
        if (task.aligned && to.features == kFeatures && (in_order || !along_k))
            return read_vectors(block, task, to, tile);
        read_elements(block, task, to, tile, [&](int64_t k, int64_t n) {
            const int64_t index = along_k ? n * task.ld_src + k : k * task.ld_src + n;
            return static_cast<uint8_t>(static_cast<uint8_t>(task.src[index]) + code_bias(task.src_type));
        });
    }

private:
    template <typename Block, typename Tile>
    MARLIN_HD static void read_vectors(const Block &block, const PackTask &task, const TilePlace &to, Tile &tile) {
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
                    vectors[i] = load_vector(task.src + (along_k ? n * task.ld_src + k : k * task.ld_src + n));
            }
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
