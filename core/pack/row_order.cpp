// Sorting rows by group (act-order) and padding ragged groups.
#include "pack/row_order.h"

#include "common/arith.h"
#include "common/error.h"
#include "common/types.h"
#include "layout/geometry.h"

namespace marlin {

int64_t max_packed_rows(Layout layout, int64_t k, int64_t group_size) {
    const int64_t run = run_rows(layout, group_size);
    if (group_size == kGroupPerColumn)
        return round_up(k, run);
    const int64_t groups = source_group_count(k, group_size);
    return round_up((k + groups * (group_size - 1)) / group_size * group_size, run);
}

RowOrder::RowOrder(Layout layout, int64_t k, int64_t group_size)
    : k_(k), group_size_(group_size), k_packed_(round_up(k, run_rows(layout, group_size))) {}

RowOrder::RowOrder(Layout layout, int64_t k, int64_t group_size, std::span<const int32_t> g_idx)
    : RowOrder(layout, k, group_size) {
    if (static_cast<int64_t>(g_idx.size()) != k)
        fail(Status::InvalidArgument, "g_idx has {} entries, expected one a row: k = {}", g_idx.size(), k);
    const int64_t groups = source_group_count(k, group_size);
    std::vector<int64_t> rows_of(static_cast<size_t>(groups), 0);
    for (int64_t row = 0; row < k; ++row) {
        const int32_t group = g_idx[static_cast<size_t>(row)];
        if (group < 0 || group >= groups)
            fail(Status::InvalidArgument, "g_idx[{}] is {}, expected 0 .. {} (groups of {} in {} rows)", row, group,
                 groups - 1, group_size, k);
        ++rows_of[static_cast<size_t>(group)];
    }
    if (group_size == kGroupPerColumn)
        return;

    // First packed row of each group, then every row to the next free place of its group.
    std::vector<int64_t> next(static_cast<size_t>(groups), 0);
    int64_t end = 0;
    for (int64_t group = 0; group < groups; ++group) {
        const auto g = static_cast<size_t>(group);
        next[g] = end;
        end += round_up(rows_of[g], group_size);
        source_groups_.resize(static_cast<size_t>(end / group_size), static_cast<int32_t>(group));
    }
    k_packed_ = round_up(end, run_rows(layout, group_size));
    perm_.assign(static_cast<size_t>(k_packed_), -1);
    bool in_order = true;
    for (int64_t row = 0; row < k; ++row) {
        const int64_t packed_row = next[static_cast<size_t>(g_idx[static_cast<size_t>(row)])]++;
        perm_[static_cast<size_t>(packed_row)] = static_cast<int32_t>(row);
        in_order = in_order && packed_row == row;
    }
    if (in_order)
        perm_ = {};
}

RowSpan RowOrder::span_of(int64_t packed_group) const {
    if (group_size_ == kGroupPerColumn)
        return {0, k_packed_};
    int64_t first = packed_group;
    int64_t last = packed_group;
    const int64_t group = source_group(packed_group);
    const int64_t packed_groups = k_packed_ / group_size_;
    while (first > 0 && source_group(first - 1) == group)
        --first;
    while (last + 1 < packed_groups && source_group(last + 1) == group)
        ++last;
    return {first * group_size_, (last + 1) * group_size_};
}

} // namespace marlin
