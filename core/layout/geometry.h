// The outer arrangement that all layouts share: columns of 64 features, runs along k, and the offset of everything.
#pragma once

#include <cstdint>

#include "common/arith.h"
#include "common/host_device.h"
#include "common/types.h"
#include "layout/layout.h"
#include "layout/positions.h"

namespace marlin {

// What decides where bytes go. k_packed counts logical rows and is a multiple of run_rows().
struct PackedShape {
    Layout layout = Layout::Default;
    Type type = Type::S4;
    Type scale_type = Type::F16;
    Type zero_type = Type::None;
    int64_t k_packed = 0;
    int64_t n = 0;
    int64_t group_size = 128;
    bool has_perm = false;
    bool has_column_scales = false;
};

// Logical rows of one run: what one bulk copy brings for 64 features, a whole number of groups and of blocks.
MARLIN_HD constexpr int64_t run_rows(Layout layout, int64_t group_size) {
    const int64_t block = is_sparse24(layout) ? 128 : 64;
    return group_size > block ? group_size : block;
}

// Offsets are in bytes from the start of the body (the first byte behind the header).
//
//   body:  column 0: run 0 | run 1 | ...   column 1: ...   [scales apart] [zeros apart] [perm] [column scales]
//   run:   codes | scales, groups x 64 | zeros, groups x 64 | 2:4 metadata
//
// Per-column scales and zeros stand apart, 64 a column, because a run of theirs would repeat them.
struct Geometry {
    PackedShape shape;
    int64_t columns = 0;       // of 64 features
    int64_t run_k = 0;         // logical rows a run
    int64_t runs = 0;          // a column
    int64_t groups_in_run = 0; // 0: scales stand apart
    int64_t codes_size = 0;    // of a run, as the three below
    int64_t scales_size = 0;
    int64_t zeros_size = 0;
    int64_t metadata_size = 0;
    int64_t run_size = 0;
    int64_t scales_apart = 0; // offset, meaningful where groups_in_run is 0
    int64_t zeros_apart = 0;
    int64_t perm_offset = 0;
    int64_t column_scales_offset = 0;
    int64_t body_size = 0;

    MARLIN_HD constexpr bool sparse() const { return is_sparse24(shape.layout); }
    // Groups along k, 1 where a column has one scale.
    MARLIN_HD constexpr int64_t groups() const { return groups_in_run == 0 ? 1 : shape.k_packed / shape.group_size; }
    MARLIN_HD constexpr int64_t group_of(int64_t k) const { return groups_in_run == 0 ? 0 : k / shape.group_size; }
    MARLIN_HD constexpr int64_t run_offset(int64_t column, int64_t run) const {
        return (column * runs + run) * run_size;
    }

    // Dense: the nibble of logical row k of feature n.
    MARLIN_HD constexpr BitsAt code(int64_t k, int64_t n) const {
        const BitsAt at = code_at(shape.layout, k % run_k, n % kColumnFeatures);
        return {run_offset(n / kColumnFeatures, k / run_k) + at.byte, at.shift};
    }
    // 2:4: the nibble of the kept value `slot` (0, 1) of rows 4 * quad .. 4 * quad + 3 of feature n.
    MARLIN_HD constexpr BitsAt kept_code(int64_t quad, int64_t slot, int64_t n) const {
        const int64_t quads = run_k / 4;
        const BitsAt at = code_at(shape.layout, 2 * (quad % quads) + slot, n % kColumnFeatures);
        return {run_offset(n / kColumnFeatures, quad / quads) + at.byte, at.shift};
    }
    // 2:4: two bits, the position 0..3 of that kept value among its four rows; slot 0 stands before slot 1.
    MARLIN_HD constexpr BitsAt metadata(int64_t quad, int64_t slot, int64_t n) const {
        const int64_t quads = run_k / 4;
        const BitsAt at = metadata_at(shape.layout, quad % quads, slot, n % kColumnFeatures);
        return {run_offset(n / kColumnFeatures, quad / quads) + codes_size + scales_size + zeros_size + at.byte,
                at.shift};
    }
    MARLIN_HD constexpr int64_t scale(int64_t group, int64_t n) const {
        const int64_t element = size_of(shape.scale_type);
        if (groups_in_run == 0)
            return scales_apart + n * element;
        return run_offset(n / kColumnFeatures, group / groups_in_run) + codes_size +
               (group % groups_in_run * kColumnFeatures + n % kColumnFeatures) * element;
    }
    MARLIN_HD constexpr int64_t zero(int64_t group, int64_t n) const {
        const int64_t element = size_of(shape.zero_type);
        if (groups_in_run == 0)
            return zeros_apart + n * element;
        return run_offset(n / kColumnFeatures, group / groups_in_run) + codes_size + scales_size +
               (group % groups_in_run * kColumnFeatures + n % kColumnFeatures) * element;
    }
    // Features as stored: n rounded up to whole columns. Padding features have scale 0.
    MARLIN_HD constexpr int64_t n_packed() const { return columns * kColumnFeatures; }
};

MARLIN_HD constexpr Geometry make_geometry(const PackedShape &shape) {
    Geometry g;
    g.shape = shape;
    g.columns = div_up(shape.n, kColumnFeatures);
    g.run_k = run_rows(shape.layout, shape.group_size);
    g.runs = shape.k_packed / g.run_k;
    g.groups_in_run = shape.group_size == kGroupPerColumn ? 0 : g.run_k / shape.group_size;
    const int64_t stored_rows = is_sparse24(shape.layout) ? g.run_k / 2 : g.run_k;
    g.codes_size = stored_rows * kColumnFeatures / 2;
    g.scales_size = g.groups_in_run * kColumnFeatures * size_of(shape.scale_type);
    g.zeros_size = g.groups_in_run * kColumnFeatures * size_of(shape.zero_type);
    g.metadata_size = is_sparse24(shape.layout) ? g.run_k / 2 * kColumnFeatures / 4 : 0;
    g.run_size = g.codes_size + g.scales_size + g.zeros_size + g.metadata_size;
    int64_t end = round_up(g.columns * g.runs * g.run_size, kSectionAlignment);
    g.scales_apart = end;
    g.zeros_apart = end;
    if (g.groups_in_run == 0) {
        end = round_up(end + g.n_packed() * size_of(shape.scale_type), kSectionAlignment);
        g.zeros_apart = end;
        end = round_up(end + g.n_packed() * size_of(shape.zero_type), kSectionAlignment);
    }
    g.perm_offset = end;
    if (shape.has_perm)
        end = round_up(end + shape.k_packed * 4, kSectionAlignment);
    g.column_scales_offset = end;
    if (shape.has_column_scales)
        end = round_up(end + shape.n * 4, kSectionAlignment);
    g.body_size = end;
    return g;
}

} // namespace marlin
