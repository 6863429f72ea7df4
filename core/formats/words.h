// Where checkpoint formats keep the nibble of (k, n): one constexpr function a format, and how it is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "common/arith.h"
#include "common/host_device.h"

namespace marlin {

// Four bits of a 32-bit little-endian word.
struct NibbleAt {
    int64_t word;
    int shift;
};

inline constexpr int64_t kNibblesPerWord = 8;

// GPTQ qweight [ceil(k / 8), n]: eight rows of one column in a word, the first lowest.
// Source: AutoGPTQ, auto_gptq/nn_modules/qlinear/qlinear_cuda_old.py (pack).
MARLIN_HD constexpr NibbleAt gptq_weight_at(int64_t k, int64_t n, int64_t n_size) {
    return {k / kNibblesPerWord * n_size + n, static_cast<int>(k % kNibblesPerWord * 4)};
}
// GPTQ qzeros [groups, ceil(n / 8)]: eight columns in a word, the first lowest. Version 1 stores the zero minus one.
MARLIN_HD constexpr NibbleAt gptq_zero_at(int64_t group, int64_t n, int64_t n_size) {
    return {group * div_up(n_size, kNibblesPerWord) + n / kNibblesPerWord, static_cast<int>(n % kNibblesPerWord * 4)};
}

// AWQ "gemm" qweight [k, ceil(n / 8)]: the nibbles of a word hold its columns 0, 2, 4, 6, 1, 3, 5, 7.
// Source: AutoAWQ, awq/modules/linear/gemm.py (order_map).
MARLIN_HD constexpr NibbleAt awq_weight_at(int64_t k, int64_t n, int64_t n_size) {
    const int64_t nibble = n % kNibblesPerWord / 2 + n % 2 * 4;
    return {k * div_up(n_size, kNibblesPerWord) + n / kNibblesPerWord, static_cast<int>(nibble * 4)};
}
// AWQ qzeros [groups, ceil(n / 8)]: as qweight, a group in place of a row.
MARLIN_HD constexpr NibbleAt awq_zero_at(int64_t group, int64_t n, int64_t n_size) {
    return awq_weight_at(group, n, n_size);
}

// compressed-tensors weight_packed [n, ceil(k / 8)]: eight rows of one column in a word, the first lowest.
// Source: compressed-tensors, compressors/pack_quantized/helpers.py (pack_to_int32).
MARLIN_HD constexpr NibbleAt compressed_tensors_weight_at(int64_t k, int64_t n, int64_t k_size) {
    return {n * div_up(k_size, kNibblesPerWord) + k / kNibblesPerWord, static_cast<int>(k % kNibblesPerWord * 4)};
}
// compressed-tensors weight_zero_point [ceil(n / 8), groups]: eight columns in a word, the first lowest.
MARLIN_HD constexpr NibbleAt compressed_tensors_zero_at(int64_t group, int64_t n, int64_t groups) {
    return {n / kNibblesPerWord * groups + group, static_cast<int>(n % kNibblesPerWord * 4)};
}

// Legacy Marlin B [k / 16, 2 n]: tiles of 16 rows x 64 columns, 16 bytes a lane of the warp, columns 16 apart in its
// four words; in a word the nibbles stand as 0, 2, 4, 6, 1, 3, 5, 7.
// Source: IST-DASLab/marlin, marlin/__init__.py (_get_perms, Layer.pack).
MARLIN_HD constexpr NibbleAt marlin_weight_at(int64_t k, int64_t n, int64_t n_size) {
    const int64_t row = k % 16;
    const int64_t column = n % 16;
    const int64_t lane = 4 * (column % 8) + row % 8 / 2;
    const int64_t order = 4 * (column / 8) + 2 * (row / 8) + row % 2;
    return {k / 16 * 2 * n_size + n / 64 * 128 + 4 * lane + n % 64 / 16,
            static_cast<int>((order / 2 + order % 2 * 4) * 4)};
}
// Legacy Marlin s [groups, n]: the element of a row that holds the scale of column n. `grouped`: more than one group.
MARLIN_HD constexpr int64_t marlin_scale_at(int64_t n, bool grouped) {
    if (grouped)
        return n / 64 * 64 + n % 8 * 8 + n % 64 / 8;
    return n / 32 * 32 + n % 8 / 2 * 8 + n % 32 / 8 * 2 + n % 2;
}

// Words may lie at any address: tensors inside checkpoint files do.
MARLIN_HD inline uint32_t read_word(const std::byte *words, int64_t index) {
    uint32_t word = 0;
    std::memcpy(&word, words + index * 4, sizeof word);
    return word;
}
MARLIN_HD inline unsigned read_nibble(const std::byte *words, NibbleAt at) {
    return (read_word(words, at.word) >> at.shift) & 15u;
}

} // namespace marlin
