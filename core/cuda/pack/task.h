// What the kernels of packing know: plain data, the same for all tiles.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pack/group_values.h"
#include "pack/request.h"
#include "pack/row_order.h"
#include "quantize/rounding.h"

namespace marlin::cuda {

// Nothing was found that cannot be packed.
inline constexpr uint64_t kNoColumn = UINT64_MAX;
// Something was, by a kernel that does not say where.
inline constexpr uint64_t kSomeColumn = UINT64_MAX - 1;

// What rounding computed, by source group and feature.
struct ParamTable {
    GroupParams *first = nullptr;
    int64_t group_step = 0;
    int64_t feature_step = 0;

    MARLIN_HD GroupParams &at(int64_t group, int64_t n) const { return first[group * group_step + n * feature_step]; }
};
// Features side by side, or groups, as those who fill and read the table want it.
inline ParamTable params_by_feature(GroupParams *first, int64_t n_packed) {
    return {first, n_packed, 1};
}
inline ParamTable params_by_group(GroupParams *first, int64_t groups) {
    return {first, 1, groups};
}

struct PackTask {
    Geometry geometry;
    RowOrderView order;
    int64_t k = 0;
    int64_t n = 0;
    int64_t first_padding = 0; // packed row

    const std::byte *src = nullptr;
    Source source = Source::Plain;
    Type src_type = Type::None;
    Order src_order = Order::KxN;
    int64_t ld_src = 0;
    bool aligned = false; // rows of src start at multiples of 16 bytes

    GroupValues values;   // sources of codes
    bool offsets = false; // their zeros are offsets
    ParamTable params;    // sources of values
    ScaleMethod scale_method = ScaleMethod::MinMax;
    // Rows of each source group where they are more than one packed group; NULL: they are one, or one a column.
    const RowSpan *spans = nullptr;

    Sparsity sparsity = Sparsity::Dense;
    const float *importance = nullptr; // by source row; NULL: all 1
    const float *column_scales = nullptr;

    std::byte *body = nullptr;
    uint64_t *failed_column = nullptr; // the lowest one that cannot be packed, or kNoColumn
    uint64_t *sums = nullptr;          // kSumSlots parts of the checksum of the body, each kSumStride on

    // Nothing can be done: `order` may be no order at all.
    MARLIN_HD bool is_void() const { return *failed_column == kSomeColumn; }
    MARLIN_HD bool in_order() const { return order.perm == nullptr; }
    MARLIN_HD Grid grid() const { return grid_of(geometry.shape.zero_type); }
    MARLIN_HD RoundingTypes rounding() const { return {geometry.shape.scale_type, geometry.shape.zero_type}; }
    // What stands for the zero of a group that is padding.
    MARLIN_HD float no_zero() const { return grid() == Grid::Symmetric ? 8.0f : 0.0f; }
};

} // namespace marlin::cuda
