// Which source row each packed row holds, and which source group each packed group belongs to.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/arith.h"
#include "common/types.h"
#include "layout/layout.h"

namespace marlin {

// Packed rows [begin, end).
struct RowSpan {
    int64_t begin;
    int64_t end;
};

// Groups that the source's scales have.
MARLIN_HD constexpr int64_t source_group_count(int64_t k, int64_t group_size) {
    return group_size == kGroupPerColumn ? 1 : div_up(k, group_size);
}

// A row order as plain data: what RowOrder owns, or a copy of it in device memory.
struct RowOrderView {
    int64_t k = 0;
    int64_t group_size = 0;
    int64_t k_packed = 0;
    const int32_t *perm = nullptr;          // k_packed entries; NULL: in order
    const int32_t *source_groups = nullptr; // by packed group; NULL: the same number
    int64_t source_groups_size = 0;

    // Source row of a packed row, -1 for padding.
    MARLIN_HD constexpr int32_t source_row(int64_t packed_row) const {
        if (perm != nullptr)
            return perm[packed_row];
        return packed_row < k ? static_cast<int32_t>(packed_row) : -1;
    }
    // Source group of a packed group, -1 for padding. One packed group where a column has one scale.
    MARLIN_HD constexpr int64_t source_group(int64_t packed_group) const {
        if (group_size == kGroupPerColumn)
            return 0;
        if (source_groups == nullptr)
            return packed_group * group_size < k ? packed_group : -1;
        return packed_group < source_groups_size ? source_groups[packed_group] : -1;
    }
};

// In order: packed row i is source row i. With act-order: rows sorted by group, stably; every group is padded to a
// multiple of group_size, and one with more rows becomes several packed groups that share its scales. A permutation
// that turns out to be the order of the source is not stored.
class RowOrder {
public:
    RowOrder(Layout layout, int64_t k, int64_t group_size);
    // Fails unless g_idx has k entries, each in [0, source_groups).
    RowOrder(Layout layout, int64_t k, int64_t group_size, std::span<const int32_t> g_idx);

    int64_t k_packed() const { return k_packed_; }
    bool has_perm() const { return !perm_.empty(); }
    const std::vector<int32_t> &perm() const { return perm_; }

    RowOrderView view() const {
        return {k_,
                group_size_,
                k_packed_,
                has_perm() ? perm_.data() : nullptr,
                source_groups_.empty() ? nullptr : source_groups_.data(),
                static_cast<int64_t>(source_groups_.size())};
    }
    int32_t source_row(int64_t packed_row) const { return view().source_row(packed_row); }
    int64_t source_group(int64_t packed_group) const { return view().source_group(packed_group); }
    // All packed rows of the source group that a packed group belongs to.
    RowSpan span_of(int64_t packed_group) const;

private:
    int64_t k_;
    int64_t group_size_;
    int64_t k_packed_;
    std::vector<int32_t> perm_;
    std::vector<int32_t> source_groups_; // by packed group; empty: the same number
};

// The largest k_packed that any g_idx can give: each of the G source groups wastes at most group_size - 1 rows, so
// there are at most (k + G (group_size - 1)) / group_size packed groups; then whole runs.
int64_t max_packed_rows(Layout layout, int64_t k, int64_t group_size);

} // namespace marlin
