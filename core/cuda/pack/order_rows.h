// The order of act-order rows that fill each group with group_size of them: the usual one, found where g_idx lies.
#pragma once

#include "cuda/pack/block.h"
#include "cuda/pack/task.h"

namespace marlin::cuda {

struct OrderTask {
    const int32_t *g_idx = nullptr; // k of them, a multiple of group_size; at a multiple of 16 bytes
    int32_t *perm = nullptr;        // k_packed
    int64_t k = 0;
    int64_t k_packed = 0;
    int32_t group_size = 0; // a multiple of 4
    uint64_t *failed_column = nullptr;
};

// Neighbouring lanes of a block that vote together.
template <typename Block>
inline constexpr int kVoters = Block::kThreads < 32 ? 1 : 32;
template <typename Block>
struct OrderMemory {
    int count[Block::kThreads / kVoters<Block>];
};

// Which of the lanes say yes, a bit each.
template <int voters>
MARLIN_HD uint32_t votes(bool mine) {
#ifdef __CUDA_ARCH__
    return __ballot_sync(0xffffffffu, mine);
#else
    return mine ? 1u : 0u;
#endif
}
MARLIN_HD inline int count_of_bits(uint32_t bits) {
#ifdef __CUDA_ARCH__
    return __popc(bits);
#else
    return std::popcount(bits);
#endif
}

// visit(first row, the groups of it and of the three rows behind it) for the rows of a warp, a share of them all. Lanes
// beyond the end get groups that there are not.
template <typename Block, typename Visit>
MARLIN_HD void for_each_four(const Block &block, const OrderTask &task, Visit visit) {
    constexpr int kLanes = kVoters<Block>;
    constexpr int kWarps = Block::kThreads / kLanes;
    const int64_t rows_of_warp = round_up(div_up(task.k, kWarps), 4 * kLanes);
    const int64_t begin = block.thread() / kLanes * rows_of_warp;
    const int64_t end = begin + rows_of_warp < task.k ? begin + rows_of_warp : task.k;
    for (int64_t row = begin; row < end; row += 4 * kLanes) {
        const int64_t own = row + block.thread() % kLanes * 4;
        Vector groups = {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}};
        if (own < end)
            groups = load_vector(reinterpret_cast<const std::byte *>(task.g_idx + own));
        visit(own, groups);
    }
}

// Puts the rows of one group to their places, the first one's thread more: rows of padding. Fails where the group has
// more or fewer, and, of group 0, where all rows are in order and need none.
template <typename Block>
MARLIN_HD void order_group(const Block &block, const OrderTask &task, int64_t group, OrderMemory<Block> &memory) {
    constexpr int kLanes = kVoters<Block>;
    constexpr int kWarps = Block::kThreads / kLanes;
    const auto wanted = static_cast<uint32_t>(group);
    const int warp = block.thread() / kLanes;
    const uint32_t lanes_before = (1u << (block.thread() % kLanes)) - 1;
    int count = 0;
    bool moved = group != 0;
    for_each_four(block, task, [&](int64_t row, const Vector &groups) {
        MARLIN_UNROLL
        for (int i = 0; i < 4; ++i) {
            count += count_of_bits(votes<kLanes>(groups.word[i] == wanted));
            moved = moved || (row < task.k && groups.word[i] != static_cast<uint32_t>(row / task.group_size));
        }
    });
    memory.count[warp] = count;
    moved = block.any(moved);
    int at = 0;
    int all = 0;
    for (int w = 0; w < kWarps; ++w) {
        at += w < warp ? memory.count[w] : 0;
        all += memory.count[w];
    }
    if (all != task.group_size || !moved) {
        lower_to(task.failed_column, kSomeColumn);
        return;
    }
    int32_t *const to = task.perm + group * task.group_size;
    for_each_four(block, task, [&](int64_t row, const Vector &groups) {
        uint32_t bits[4];
        MARLIN_UNROLL
        for (int i = 0; i < 4; ++i)
            bits[i] = votes<kLanes>(groups.word[i] == wanted);
        if ((bits[0] | bits[1] | bits[2] | bits[3]) == 0)
            return;
        int place = at;
        MARLIN_UNROLL
        for (int i = 0; i < 4; ++i)
            place += count_of_bits(bits[i] & lanes_before);
        MARLIN_UNROLL
        for (int i = 0; i < 4; ++i) {
            if (groups.word[i] == wanted)
                to[place++] = static_cast<int32_t>(row + i);
            at += count_of_bits(bits[i]);
        }
    });
    if (group == 0)
        for (int64_t row = task.k + block.thread(); row < task.k_packed; row += Block::kThreads)
            task.perm[row] = -1;
}

} // namespace marlin::cuda
