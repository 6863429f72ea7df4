// A tile of 128 packed rows x 64 features: where it lies, and how its elements stand in shared memory.
#pragma once

#include <cstdint>

#include "layout/geometry.h"
#include "quantize/rounding.h"

namespace marlin::cuda {

inline constexpr int kRows = 128;
inline constexpr int kFeatures = static_cast<int>(kColumnFeatures);
inline constexpr int kQuads = kRows / 4;
inline constexpr int kMaxGroups = 4; // of 32 rows

// One byte an element. Tiles stand as their source does, so that what is read together is written together; strides
// and gaps keep the 32 lanes of a warp on different banks, both when they write vectors of the source and when they
// gather those of a layout.
template <bool along_k>
struct CodeShape {
    static constexpr int kRowStride = along_k ? 1 : kFeatures + 8; // of four rows
    static constexpr int kFeatureStride = along_k ? kRows + 8 : 1; // of four features
    static constexpr int kGaps = along_k ? 64 + 144 : 64 + 136 + 272;
    static constexpr int kSize = (along_k ? kFeatures * kFeatureStride : kRows * kRowStride) + kGaps;
    // A sum of what each bit of row and feature gives.
    MARLIN_HD static constexpr int offset(int row, int feature) {
        const int gaps =
            along_k ? (feature >> 4 & 1) * 64 + (feature >> 5) * 144 : (row >> 4 & 1) * 64 + (row >> 5) * 136;
        return row * kRowStride + feature * kFeatureStride + gaps;
    }
};

// FP32 elements, four rows of a feature at a time.
template <bool along_k>
struct ValueShape {
    static constexpr int kRowStride = along_k ? 1 : kFeatures;
    static constexpr int kFeatureStride = along_k ? kRows + 4 : 1;
    static constexpr int kSize = along_k ? kFeatures * kFeatureStride : kRows * kRowStride;
    MARLIN_HD static constexpr int offset(int row, int feature) { return row * kRowStride + feature * kFeatureStride; }
};

// 2:4 weights are compressed in place: the kept codes of a quad of rows move to its first two, and what they were, the
// first + 4 * the second, to its third.
MARLIN_HD constexpr int row_of_kept(int stored_row) {
    return stored_row / 2 * 4 + stored_row % 2;
}
inline constexpr int kRowOfPositions = 2;

struct TilePlace {
    int64_t column = 0;
    int64_t first_row = 0; // packed
    int64_t first_feature = 0;
    int rows = 0;     // that are stored: 64 in the last tile where runs have 64
    int features = 0; // fewer in the last column
};

// Rows in the order of the source, and none of them or of the features padding.
MARLIN_HD constexpr bool is_whole(const TilePlace &place, bool in_order, int64_t k) {
    return in_order && place.first_row + kRows <= k && place.features == kFeatures;
}

MARLIN_HD constexpr TilePlace place_of(const Geometry &g, int64_t column, int64_t first_row) {
    TilePlace place;
    place.column = column;
    place.first_row = first_row;
    place.first_feature = column * kColumnFeatures;
    const int64_t rows = g.shape.k_packed - first_row;
    const int64_t features = g.shape.n - place.first_feature;
    place.rows = rows < kRows ? static_cast<int>(rows) : kRows;
    place.features = features < kFeatures ? static_cast<int>(features) : kFeatures;
    return place;
}

MARLIN_HD constexpr int64_t tiles_of_column(const Geometry &g) {
    return div_up(g.shape.k_packed, kRows);
}

// How groups divide a tile. A column with one scale has one group, and so have its tiles.
struct TileGroups {
    int count = 1;
    int row_shift = 7; // group of a row: row >> row_shift
    int64_t first = 0; // packed group of the first row
};

MARLIN_HD constexpr TileGroups groups_of(const Geometry &g, int64_t first_row) {
    if (g.groups_in_run == 0)
        return {};
    const int shift = g.shape.group_size == 32 ? 5 : g.shape.group_size == 64 ? 6 : 7;
    return {kRows >> shift, shift, first_row >> shift};
}

} // namespace marlin::cuda
