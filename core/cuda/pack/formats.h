// The formats of packed words as types, and the tile of each turned inside out.
#pragma once

#include "cuda/pack/field_map.h"
#include "cuda/pack/tile.h"
#include "formats/words.h"

namespace marlin::cuda {

// kAlongK: the eight codes of a word follow each other in k, and so do words.
struct GptqWords {
    static constexpr bool kAlongK = false;
    MARLIN_HD static constexpr NibbleAt at(int64_t k, int64_t n, int64_t, int64_t n_size) {
        return gptq_weight_at(k, n, n_size);
    }
};
struct AwqWords {
    static constexpr bool kAlongK = false;
    MARLIN_HD static constexpr NibbleAt at(int64_t k, int64_t n, int64_t, int64_t n_size) {
        return awq_weight_at(k, n, n_size);
    }
};
struct CompressedTensorsWords {
    static constexpr bool kAlongK = true;
    MARLIN_HD static constexpr NibbleAt at(int64_t k, int64_t n, int64_t k_size, int64_t) {
        return compressed_tensors_weight_at(k, n, k_size);
    }
};
struct MarlinWords {
    static constexpr bool kAlongK = false;
    MARLIN_HD static constexpr NibbleAt at(int64_t k, int64_t n, int64_t, int64_t n_size) {
        return marlin_weight_at(k, n, n_size);
    }
};

inline constexpr int kNibblesPerVector = 32;
inline constexpr int kWordVectors = kRows * kFeatures / kNibblesPerVector;

// Nibbles of a source that is exactly one tile, in the order of its bytes. Those of a vector of a larger source have
// the same elements, counted from that of its first nibble.
template <typename Format>
constexpr FieldMap words_map() {
    return invert(kRows, kFeatures, [](int row, int feature) {
        const NibbleAt at = Format::at(row, feature, kRows, kFeatures);
        return at.word * kNibblesPerWord + at.shift / 4;
    });
}

// Whether all nibbles of a vector belong to one row, so that rows may be read in any order.
template <typename Format>
constexpr bool has_single_row_vectors() {
    constexpr FieldMap map = words_map<Format>();
    return map.row_of(kNibblesPerVector - 1) == 0;
}

} // namespace marlin::cuda
