// Act-order: sorting, padding, and the bound on packed rows.
#include <algorithm>
#include <random>

#include "layout/geometry.h"
#include "pack/row_order.h"
#include "support/catch.h"

namespace marlin::test {

TEST_CASE("every row is packed once, by group, in source order, and padding stands at the end of groups", "[pack]") {
    std::mt19937 rng(11);
    for (int round = 0; round < 200; ++round) {
        const int64_t k = 1 + rng() % 500;
        const int64_t group_size = int64_t{32} << rng() % 3;
        const Layout layout = rng() % 2 == 0 ? Layout::CpuDraft : Layout::Sparse24Draft;
        const int64_t groups = source_group_count(k, group_size);
        std::vector<int32_t> g_idx;
        for (int64_t i = 0; i < k; ++i)
            g_idx.push_back(static_cast<int32_t>(rng() % groups));
        const RowOrder order(layout, k, group_size, g_idx);
        REQUIRE(order.k_packed() % run_rows(layout, group_size) == 0);
        REQUIRE(order.k_packed() <= max_packed_rows(layout, k, group_size));
        std::vector<int32_t> rows;
        for (int64_t p = 0; p < order.k_packed(); ++p) {
            const int32_t row = order.source_row(p);
            if (row < 0)
                continue;
            REQUIRE(order.source_group(p / group_size) == g_idx[row]);
            REQUIRE((p % group_size == 0 || order.source_row(p - 1) >= 0)); // no hole before a row
            rows.push_back(row);
        }
        std::vector<int32_t> sorted(static_cast<size_t>(k));
        for (int64_t i = 0; i < k; ++i)
            sorted[i] = static_cast<int32_t>(i);
        std::ranges::stable_sort(sorted, {}, [&](int32_t row) { return g_idx[row]; });
        REQUIRE(rows == sorted);
    }
}

TEST_CASE("the bound on packed rows is reached", "[pack]") {
    // 33 groups of 32 in 1025 rows: every group but the first has one row, the first has the rest, one more than full.
    std::vector<int32_t> g_idx(1025, 0);
    for (int32_t group = 1; group < 33; ++group)
        g_idx[group] = group;
    const RowOrder order(Layout::CpuDraft, 1025, 32, g_idx);
    CHECK(order.k_packed() == (32 + 32) * 32);
    CHECK(max_packed_rows(Layout::CpuDraft, 1025, 32) == order.k_packed());
    CHECK(max_packed_rows(Layout::CpuDraft, kMaxDimension, 32) <= kMaxPackedRows);
    CHECK(max_packed_rows(Layout::CpuDraft, kMaxDimension, 128) <= kMaxPackedRows);
}

TEST_CASE("an order that is the source's is not stored", "[pack]") {
    std::vector<int32_t> in_order(100);
    for (int32_t i = 0; i < 100; ++i)
        in_order[i] = i / 32;
    CHECK_FALSE(RowOrder(Layout::CpuDraft, 100, 32, in_order).has_perm());
    // All rows in one group, as some files have it: several packed groups of its scales.
    const RowOrder one(Layout::CpuDraft, 100, 32, std::vector<int32_t>(100, 2));
    CHECK_FALSE(one.has_perm());
    for (int64_t group = 0; group < 4; ++group)
        CHECK(one.source_group(group) == 2);
    CHECK(one.span_of(1).begin == 0);
    CHECK(one.span_of(1).end == 128);
    CHECK_FALSE(RowOrder(Layout::CpuDraft, 100, kGroupPerColumn, std::vector<int32_t>(100, 0)).has_perm());
    in_order[0] = 1;
    CHECK(RowOrder(Layout::CpuDraft, 100, 32, in_order).has_perm());
}

} // namespace marlin::test
