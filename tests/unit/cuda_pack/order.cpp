// The order of rows that a kernel finds, against RowOrder.
#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "cuda/pack/order_rows.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::cuda;

namespace {

struct Found {
    std::vector<int32_t> perm;
    bool failed;
};

Found order_of(const std::vector<int32_t> &g_idx, int32_t group_size, int64_t k_packed) {
    std::vector<Vector> aligned(g_idx.size() / 4);
    std::copy(g_idx.begin(), g_idx.end(), reinterpret_cast<int32_t *>(aligned.data()));
    Found found = {std::vector<int32_t>(static_cast<size_t>(k_packed), -7), false};
    uint64_t failed = kNoColumn;
    OrderTask task;
    task.g_idx = reinterpret_cast<const int32_t *>(aligned.data());
    task.perm = found.perm.data();
    task.k = static_cast<int64_t>(g_idx.size());
    task.k_packed = k_packed;
    task.group_size = group_size;
    task.failed_column = &failed;
    OrderMemory<Block<1>> memory;
    for (int64_t group = 0; group < task.k / group_size; ++group)
        order_group(Block<1>(), task, group, memory);
    found.failed = failed != kNoColumn;
    return found;
}

std::vector<int32_t> even_groups(int64_t k, int32_t group_size) {
    std::vector<int32_t> g_idx(static_cast<size_t>(k));
    for (size_t row = 0; row < g_idx.size(); ++row)
        g_idx[row] = static_cast<int32_t>(row) / group_size;
    return g_idx;
}

} // namespace

TEST_CASE("A kernel orders rows as RowOrder does where groups are full", "[cuda][pack]") {
    for (const int32_t group_size : {32, 64, 128})
        for (const int64_t k : {128, 384, 640, 1152}) {
            INFO(group_size << ", " << k);
            std::vector<int32_t> g_idx = even_groups(k, group_size);
            std::shuffle(g_idx.begin(), g_idx.end(), std::mt19937(static_cast<uint32_t>(k)));
            const RowOrder expected(Layout::Sparse24Draft, k, group_size, g_idx);
            const bool in_order = !expected.has_perm(); // one group
            const Found found = order_of(g_idx, group_size, expected.k_packed());
            CHECK(found.failed == in_order);
            if (!in_order)
                CHECK(found.perm == expected.perm());
        }
}

TEST_CASE("A kernel finds no order where groups are not full, not there or need none", "[cuda][pack]") {
    const std::vector<int32_t> in_order = even_groups(256, 32);
    CHECK(order_of(in_order, 32, 256).failed);
    std::vector<int32_t> swapped = in_order;
    std::swap(swapped[3], swapped[200]);
    CHECK_FALSE(order_of(swapped, 32, 256).failed);
    for (const int32_t other : {-1, 2, 8, 1 << 30}) {
        std::vector<int32_t> g_idx = swapped;
        g_idx[7] = other;
        CHECK(order_of(g_idx, 32, 256).failed);
    }
}
