// One run of one column (up to 128 rows x 64 features) on its way between source and packed bytes.
#pragma once

#include <cstdint>

#include "layout/geometry.h"
#include "pack/row_order.h"
#include "quantize/group_scan.h"

namespace marlin {

inline constexpr int64_t kTileRows = 128;
inline constexpr int64_t kTileGroups = 4; // groups of 32 in 128 rows

struct Tile {
    int64_t first_row = 0; // packed
    int64_t rows = 0;
    int64_t first_feature = 0;
    int64_t features = 0; // up to 64, fewer in the last column
    int32_t source_row[kTileRows];

    // [row][feature]; codes are unsigned. Values are filled where something is rounded or selected.
    alignas(64) uint8_t code[kTileRows * kColumnFeatures];
    alignas(64) float value[kTileRows * kColumnFeatures];
    // 2:4: nonzero where a row is kept, and the positions of the kept ones [2 * quad + slot][feature].
    alignas(64) uint8_t kept[kTileRows * kColumnFeatures];
    alignas(64) uint8_t position[kTileRows / 2 * kColumnFeatures];
    // [packed group in the run]; one where a column has one scale. Source precision.
    ColumnParams params[kTileGroups];
    // The source group whose parameters rounding computed last: groups may span runs.
    int64_t cached_column = -1;
    int64_t cached_group = -1;
    ColumnParams cached;

    // Sets rows, features and source rows for packed rows [begin, begin + count) of a column.
    void place(const Geometry &geometry, const RowOrder &order, int64_t column, int64_t begin, int64_t count) {
        first_row = begin;
        rows = count;
        first_feature = column * kColumnFeatures;
        const int64_t left = geometry.shape.n - first_feature;
        features = left < kColumnFeatures ? left : kColumnFeatures;
        for (int64_t r = 0; r < count; ++r)
            source_row[r] = order.source_row(begin + r);
    }
};

} // namespace marlin
