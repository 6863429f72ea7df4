// The packed bytes behind the runs, and the header in front of them, a few words at a time.
#pragma once

#include "cuda/pack/body_sum.h"
#include "cuda/pack/task.h"

namespace marlin::cuda {

MARLIN_HD constexpr int64_t runs_end(const Geometry &g) {
    return g.columns * g.runs * g.run_size;
}

// What stands at `offset`, from runs_end to body_size: the permutation, column scales, and the gaps, which are 0.
// Scales and zeros that stand apart are the tiles'.
MARLIN_HD inline uint32_t section_word(const PackTask &task, int64_t offset) {
    const Geometry &g = task.geometry;
    const auto inside = [offset](int64_t begin, int64_t size) { return offset >= begin && offset < begin + size; };
    if (g.shape.has_perm && inside(g.perm_offset, g.shape.k_packed * 4))
        return static_cast<uint32_t>(task.order.perm[(offset - g.perm_offset) / 4]);
    if (g.shape.has_column_scales && inside(g.column_scales_offset, g.shape.n * 4))
        return std::bit_cast<uint32_t>(task.column_scales[(offset - g.column_scales_offset) / 4]);
    return 0;
}
MARLIN_HD inline void write_section_words(const PackTask &task, int64_t offset, BodySum &sum) {
    const Geometry &g = task.geometry;
    const auto inside = [offset](int64_t begin, int64_t size) { return offset >= begin && offset < begin + size; };
    if (g.groups_in_run == 0 && (inside(g.scales_apart, g.n_packed() * size_of(g.shape.scale_type)) ||
                                 inside(g.zeros_apart, g.n_packed() * size_of(g.shape.zero_type))))
        return;
    sum.store(task.body + offset, section_word(task, offset) | uint64_t{section_word(task, offset + 4)} << 32);
}

// checksum() of every step-th vector of the body from `first` on; the sum over all `first` is the whole.
MARLIN_HD inline uint64_t checksum_part(const std::byte *body, int64_t size, int64_t first, int64_t step) {
    uint64_t sum = 0;
    for (int64_t i = first; i < size / 16; i += step) {
        const Vector vector = load_vector(body + i * 16);
        for (int w = 0; w < 2; ++w)
            sum += checksum_word(vector.word[2 * w] | uint64_t{vector.word[2 * w + 1]} << 32,
                                 static_cast<uint64_t>(2 * i + w));
    }
    return sum;
}

// Word `i` of a header whose checksum of the body was not known when it was made, and its part of the header's own.
inline constexpr int kHeaderWords = static_cast<int>(kHeaderSize / 8);
struct HeaderWord {
    uint64_t word;
    uint64_t checksum;
};
MARLIN_HD inline HeaderWord header_word(const PackedHeader &header, int i, uint64_t body_checksum) {
    constexpr int kBodyChecksum = static_cast<int>(offsetof(PackedHeader, body_checksum) / 8);
    const uint64_t word = i == kBodyChecksum ? body_checksum : reinterpret_cast<const uint64_t *>(&header)[i];
    return {word, i == kHeaderWords - 1 ? 0 : checksum_word(word, static_cast<uint64_t>(i))};
}

} // namespace marlin::cuda
