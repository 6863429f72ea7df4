// Layouts by number, and the limits that every layout shares.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/host_device.h"

namespace marlin {

// The numbers are those of marlin_layout; capi/src/abi_check.cpp compares them. Below 0x1000 the bytes never change.
// Numbers from there on are drafts: the bytes behind them may still change, and a version that changed them gives them
// a new number.
enum class Layout : int32_t {
    Default = 0,
    Dense = 1,
    Sparse24Draft = 0x1001,
    CpuDraft = 0x1002,
    CpuSparse24Draft = 0x1003,
};

constexpr std::string_view to_string(Layout layout) {
    switch (layout) {
    case Layout::Default:
        return "default";
    case Layout::Dense:
        return "dense";
    case Layout::Sparse24Draft:
        return "sparse24_draft";
    case Layout::CpuDraft:
        return "cpu_draft";
    case Layout::CpuSparse24Draft:
        return "cpu_sparse24_draft";
    }
    return "unknown";
}

MARLIN_HD constexpr bool is_known(Layout layout) {
    return layout == Layout::Dense || layout == Layout::Sparse24Draft || layout == Layout::CpuDraft ||
           layout == Layout::CpuSparse24Draft;
}
MARLIN_HD constexpr bool is_sparse24(Layout layout) {
    return layout == Layout::Sparse24Draft || layout == Layout::CpuSparse24Draft;
}
MARLIN_HD constexpr bool is_cpu(Layout layout) {
    return layout == Layout::CpuDraft || layout == Layout::CpuSparse24Draft;
}

// Features (columns of W) that stand together in one packed column.
inline constexpr int64_t kColumnFeatures = 64;
// k, n and m go up to here; products of two such sizes and the bytes of any layout then fit 63 bits.
inline constexpr int64_t kMaxDimension = 0x7fffffff;
// Ragged act-order groups are padded to at most twice k; the bytes of any layout (under 0.7 a weight) still fit 63
// bits.
inline constexpr int64_t kMaxPackedRows = 2 * kMaxDimension + 128;
// Every section of the packed bytes starts at a multiple of this.
inline constexpr int64_t kSectionAlignment = 256;

// Whether a group size can be packed: 32, 64, 128, or one scale a column.
constexpr bool is_group_size(int64_t group_size) {
    return group_size == 32 || group_size == 64 || group_size == 128 || group_size == -1;
}

} // namespace marlin
