// One tile on the way back: packed bytes become values or codes in the row order of the source.
#pragma once

#include "cuda/pack/arithmetic.h"
#include "cuda/pack/code_tile.h"
#include "cuda/pack/write_run.h"
#include "pack/unpack_plan.h"

namespace marlin::cuda {

struct UnpackTask {
    WeightsView weights;
    Destination dst = {};
    bool aligned = false; // rows of dst start at multiples of 16 bytes
};

inline bool is_aligned(const Destination &dst) {
    return reinterpret_cast<uintptr_t>(dst.data) % 16 == 0 && dst.ld * size_of(dst.type) % 16 == 0;
}

inline constexpr uint32_t kPruned = 16;

// What the codes of one group and feature stand for.
struct alignas(16) Meaning {
    float scale;
    float base;
    float offset;
    uint32_t pruned_code;

    MARLIN_HD float value(uint32_t code) const {
        return code == kPruned ? 0.0f : (float_of(code) - base) * scale + offset;
    }
    MARLIN_HD uint32_t code(uint32_t code_or_pruned) const {
        return code_or_pruned == kPruned ? pruned_code : code_or_pruned;
    }
};

// Tiles stand as dst does.
template <bool along_k>
struct UnpackMemory {
    using Shape = CodeShape<along_k>;
    static constexpr bool kAlongK = along_k;

    alignas(16) uint8_t code[Shape::kSize];     // kPruned where 2:4 left one out
    alignas(16) uint8_t position[Shape::kSize]; // at the rows of kept codes
    alignas(16) int32_t source_row[kRows];
    Meaning meaning[kMaxGroups][kFeatures];

    MARLIN_HD uint8_t &at(int row, int feature) { return code[Shape::offset(row, feature)]; }
};

template <typename Block, typename Memory>
MARLIN_HD void read_groups(const Block &block, const WeightsView &w, const TilePlace &place, Memory &memory) {
    const TileGroups groups = groups_of(w.geometry, place.first_row);
    for (int i = block.thread(); i < groups.count * kFeatures; i += Block::kThreads) {
        const int g = i / kFeatures;
        const int f = i % kFeatures;
        if (f >= place.features || g << groups.row_shift >= place.rows)
            continue;
        const ZeroAndOffset zero = read_zero(w, groups.first + g, place.first_feature + f);
        memory.meaning[g][f] = {read_scale(w, groups.first + g, place.first_feature + f), zero.zero, zero.offset,
                                padding_code(zero.zero, grid_of(w.shape().zero_type))};
    }
    for (int r = block.thread(); r < kRows; r += Block::kThreads) {
        const int64_t row = place.first_row + r;
        memory.source_row[r] = r >= place.rows     ? -1
                               : w.perm != nullptr ? w.perm[row]
                                                   : static_cast<int32_t>(row < w.k ? row : -1);
    }
}

// Every nibble and position to the place in the tile that write_codes and write_positions take it from.
template <Layout layout, typename Block, typename Memory>
MARLIN_HD void read_runs(const Block &block, const WeightsView &w, const TilePlace &place, Memory &memory) {
    using Shape = typename Memory::Shape;
    constexpr OffsetMap codes = codes_in<layout, Shape>(codes_map<layout>());
    constexpr uint32_t flip = code_xor(layout) * 0x11111111u;
    const TileRuns runs(w.geometry, w.body, place);
    for (int i = block.thread(); i < runs.all_vectors(); i += Block::kThreads) {
        const Vector vector = load_vector(runs.codes(i));
        uint8_t *const to = memory.code + codes.of(i * 32);
        MARLIN_UNROLL
        for (int j = 0; j < 32; ++j)
            to[codes.of(j)] = static_cast<uint8_t>((vector.word[j / 8] ^ flip) >> (j % 8 * 4) & 15u);
    }
    if constexpr (is_sparse24(layout)) {
        constexpr OffsetMap positions = codes_in<layout, Shape>(positions_map<layout>());
        const std::byte *const metadata = runs.first + metadata_offset(w.geometry);
        for (int i = block.thread(); i < kPositionVectors; i += Block::kThreads) {
            const Vector vector = load_vector(metadata + i * 16);
            uint8_t *const to = memory.position + positions.of(i * kFieldsPerVector);
            MARLIN_UNROLL
            for (int j = 0; j < kFieldsPerVector; ++j)
                to[positions.of(j)] = static_cast<uint8_t>(vector.word[j / 16] >> (j % 16 * 2) & 3u);
        }
    }
}

// Kept codes back to their rows.
template <typename Block, typename Memory>
MARLIN_HD void expand_quads(const Block &block, Memory &memory) {
    for (int i = block.thread(); i < kQuads * kFeatures; i += Block::kThreads) {
        const int quad = i / kFeatures;
        const int f = i % kFeatures;
        uint32_t codes = kPruned * 0x01010101u;
        for (int slot = 0; slot < 2; ++slot) {
            const int position = memory.position[Memory::Shape::offset(4 * quad + slot, f)];
            const uint32_t code = memory.at(4 * quad + slot, f);
            codes = (codes & ~(255u << (8 * position))) | code << (8 * position);
        }
        put_quad(memory, quad, f, codes);
    }
}

// Codes of as many neighbours as a vector of dst holds, four to a word; meaning(j) is that of neighbour j.
template <Type type, typename MeaningOf>
MARLIN_HD Vector vector_of(const uint8_t *codes, MeaningOf meaning) {
    constexpr int kEach = static_cast<int>(16 / size_of(type));
    uint32_t words[kEach / 4];
    MARLIN_UNROLL
    for (int w = 0; w < kEach / 4; ++w)
        words[w] = *reinterpret_cast<const uint32_t *>(codes + 4 * w);
    const auto code = [&](int j) { return words[j / 4] >> (j % 4 * 8) & 255u; };
    Vector vector;
    MARLIN_UNROLL
    for (int w = 0; w < 4; ++w) {
        if constexpr (type == Type::F32) {
            vector.word[w] = std::bit_cast<uint32_t>(meaning(w).value(code(w)));
        } else if constexpr (is_float(type)) {
            vector.word[w] = narrow(meaning(2 * w).value(code(2 * w)), meaning(2 * w + 1).value(code(2 * w + 1)), type);
        } else {
            vector.word[w] = 0;
            MARLIN_UNROLL
            for (int j = 4 * w; j < 4 * w + 4; ++j)
                vector.word[w] |= ((meaning(j).code(code(j)) - (type == Type::S4 ? 8u : 0u)) & 255u) << (j % 4 * 8);
        }
    }
    return vector;
}

// Vectors along features: a thread keeps the meanings of its features over the rows of a group.
template <Type type, typename Block>
MARLIN_HD void write_vectors(const Block &block, const UnpackTask &task, const TilePlace &place,
                             const UnpackMemory<false> &memory) {
    constexpr int kEach = static_cast<int>(16 / size_of(type));
    constexpr int kVectors = kFeatures / kEach;
    constexpr int kRowsAtOnce = Block::kThreads < kVectors ? 1 : Block::kThreads / kVectors;
    const TileGroups groups = groups_of(task.weights.geometry, place.first_row);
    const int rows_of_group = 1 << groups.row_shift;
    for (int v = block.thread() % kVectors; v < kVectors; v += Block::kThreads)
        for (int g = 0; g < groups.count; ++g) {
            Meaning meanings[kEach];
            MARLIN_UNROLL
            for (int j = 0; j < kEach; ++j)
                meanings[j] = memory.meaning[g][v * kEach + j];
            for (int i = block.thread() / kVectors; i < rows_of_group; i += kRowsAtOnce) {
                const int r = g * rows_of_group + i;
                if (memory.source_row[r] >= 0)
                    store_vector(task.dst.at(memory.source_row[r], place.first_feature + v * kEach),
                                 vector_of<type>(memory.code + CodeShape<false>::offset(r, v * kEach),
                                                 [&](int j) { return meanings[j]; }));
            }
        }
}

// Vectors along rows, which are in order and in one group.
template <Type type, typename Block>
MARLIN_HD void write_vectors(const Block &block, const UnpackTask &task, const TilePlace &place,
                             const UnpackMemory<true> &memory) {
    constexpr int kEach = static_cast<int>(16 / size_of(type));
    constexpr int kVectors = kRows / kEach;
    const TileGroups groups = groups_of(task.weights.geometry, place.first_row);
    for (int i = block.thread(); i < kVectors * kFeatures; i += Block::kThreads) {
        const int r = i % kVectors * kEach;
        const int f = i / kVectors;
        const Meaning meaning = memory.meaning[r >> groups.row_shift][f];
        store_vector(task.dst.at(place.first_row + r, place.first_feature + f),
                     vector_of<type>(memory.code + CodeShape<true>::offset(r, f), [&](int) { return meaning; }));
    }
}

template <typename Block, typename Memory>
MARLIN_HD void write_elements(const Block &block, const UnpackTask &task, const TilePlace &place,
                              const Memory &memory) {
    const TileGroups groups = groups_of(task.weights.geometry, place.first_row);
    const Type type = task.dst.type;
    const auto size = static_cast<size_t>(size_of(type));
    for (int i = block.thread(); i < kRows * kFeatures; i += Block::kThreads) {
        const int r = Memory::kAlongK ? i % kRows : i / kFeatures;
        const int f = Memory::kAlongK ? i / kRows : i % kFeatures;
        if (memory.source_row[r] < 0 || f >= place.features)
            continue;
        const Meaning &meaning = memory.meaning[r >> groups.row_shift][f];
        const uint32_t code = memory.code[Memory::Shape::offset(r, f)];
        const uint32_t bits =
            is_float(type) ? stored_bits(meaning.value(code), type) : meaning.code(code) - (type == Type::S4 ? 8u : 0u);
        std::memcpy(task.dst.at(memory.source_row[r], place.first_feature + f), &bits, size);
    }
}

template <typename Block, bool along_k>
MARLIN_HD void write_dst(const Block &block, const UnpackTask &task, const TilePlace &place,
                         const UnpackMemory<along_k> &memory) {
    const WeightsView &w = task.weights;
    if (!task.aligned || place.features < kFeatures || (along_k && !is_whole(place, w.perm == nullptr, w.k)))
        return write_elements(block, task, place, memory);
    switch (task.dst.type) {
    case Type::F32:
        return write_vectors<Type::F32>(block, task, place, memory);
    case Type::F16:
        return write_vectors<Type::F16>(block, task, place, memory);
    case Type::BF16:
        return write_vectors<Type::BF16>(block, task, place, memory);
    case Type::S4:
        return write_vectors<Type::S4>(block, task, place, memory);
    default:
        return write_vectors<Type::U4>(block, task, place, memory);
    }
}

template <bool along_k, typename Block>
MARLIN_HD void unpack_tile(const Block &block, const UnpackTask &task, const TilePlace &place,
                           UnpackMemory<along_k> &memory) {
    const WeightsView &w = task.weights;
    read_groups(block, w, place, memory);
    switch (w.shape().layout) {
    case Layout::Sparse24Draft:
        read_runs<Layout::Sparse24Draft>(block, w, place, memory);
        break;
    case Layout::CpuDraft:
        read_runs<Layout::CpuDraft>(block, w, place, memory);
        break;
    case Layout::CpuSparse24Draft:
        read_runs<Layout::CpuSparse24Draft>(block, w, place, memory);
        break;
    default:
        read_runs<Layout::Dense>(block, w, place, memory);
    }
    block.sync();
    if (w.sparse()) {
        expand_quads(block, memory);
        block.sync();
    }
    write_dst(block, task, place, memory);
}

} // namespace marlin::cuda
