// Checking the fields of an unpack request.
#include "pack/unpack_plan.h"

#include <vector>

#include "common/checked.h"
#include "common/error.h"
#include "quantize/rounding.h"

namespace marlin {
namespace {

// Room for all rows but what follows the last; more is fine.
void check_room(const UnpackRequest &r, int64_t row_count, int64_t row, int64_t ld) {
    const int64_t last = checked_mul(row_count - 1, ld, "dst_size");
    const int64_t least = checked_mul(checked_add(last, row, "dst_size"), size_of(r.dst_type), "dst_size");
    if (static_cast<int64_t>(r.dst.size()) < least)
        fail(Status::InvalidArgument, "dst_size is {} bytes, expected at least {}: {} rows of {} {}, {} apart",
             r.dst.size(), least, row_count, row, to_string(r.dst_type), ld);
}

Destination check_destination(const WeightsView &w, const UnpackRequest &r) {
    const Type stored = w.shape().type;
    if (!is_float(r.dst_type) && r.dst_type != stored)
        fail(Status::InvalidArgument, "dst_type is {}, expected f16, bf16, f32 or {} as stored", to_string(r.dst_type),
             to_string(stored));
    if (r.dst_order != Order::KxN && r.dst_order != Order::NxK)
        fail(Status::InvalidArgument, "dst_order is {}, expected 0 or 1", static_cast<int32_t>(r.dst_order));
    const bool k_by_n = r.dst_order == Order::KxN;
    const int64_t tight = k_by_n ? w.n : w.k;
    if (r.ld_dst != 0 && r.ld_dst < tight)
        fail(Status::InvalidArgument, "ld_dst is {}, expected 0 or >= {} = {}", r.ld_dst, k_by_n ? "n" : "k", tight);
    const int64_t ld = r.ld_dst == 0 ? tight : r.ld_dst;
    if (!r.dst.empty()) {
        check_room(r, k_by_n ? w.k : w.n, tight, ld);
        if (!is_float(r.dst_type) && w.sparse() && grid_of(w.shape().zero_type) == Grid::Offset)
            fail(Status::NotSupported,
                 "dst_type is u4, expected f16, bf16 or f32: weights with offsets have no code for "
                 "the zeros that 2:4 sparsity left out");
    }
    return {r.dst.data(), r.dst_type, r.dst_order, ld};
}

void check_group_size(const char *name, size_t size, const WeightsView &w, Type type) {
    if (size == 0)
        return;
    if (type == Type::None)
        fail(Status::InvalidArgument, "{} is {}, expected none: the weights are s4", name, size);
    const int64_t groups = w.geometry.groups();
    const int64_t expected = checked_mul(checked_mul(groups, w.n, name), size_of(type), name);
    if (static_cast<int64_t>(size) != expected)
        fail(Status::InvalidArgument, "{} is {} bytes, expected {}: {} groups x {} columns of {}", name, size, expected,
             groups, w.n, to_string(type));
}

// The order of the source must be found again for every row, or a part of dst would stay unwritten.
void check_perm(const WeightsView &w) {
    if (w.perm == nullptr)
        return;
    std::vector<bool> seen(static_cast<size_t>(w.k), false);
    int64_t count = 0;
    for (int64_t i = 0; i < w.shape().k_packed; ++i) {
        const int64_t row = w.perm[i];
        if (row < 0)
            continue;
        if (row >= w.k || seen[static_cast<size_t>(row)])
            fail(Status::BadPackedData, "perm[{}] is {}, expected each of 0 .. {} once", i, row, w.k - 1);
        seen[static_cast<size_t>(row)] = true;
        ++count;
    }
    if (count != w.k)
        fail(Status::BadPackedData, "perm names {} rows, expected k = {}", count, w.k);
}

} // namespace

Destination check_unpack(const WeightsView &w, const UnpackRequest &r) {
    const Destination dst = check_destination(w, r);
    check_group_size("scales_size", r.scales.size(), w, w.shape().scale_type);
    check_group_size("zeros_size", r.zeros.size(), w, w.shape().zero_type);
    check_perm(w);
    return dst;
}

bool needs_pruned_codes(const WeightsView &w, const UnpackRequest &r) {
    return !r.dst.empty() && !is_float(r.dst_type) && w.sparse() && grid_of(w.shape().zero_type) == Grid::ZeroPoint;
}

void refuse_pruned_code(int64_t group, int64_t n, float zero) {
    fail(Status::NotSupported,
         "dst_type is u4, expected f16, bf16 or f32: the zero point of group {}, column {} is {}, no code for the "
         "zeros that 2:4 sparsity left out",
         group, n, zero);
}

} // namespace marlin
