// The part of packing that looks at descriptions and short arrays only, the same for every device.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "pack/plan.h"
#include "pack/row_order.h"

namespace marlin {

struct PreparedPack {
    PackPlan plan; // its shape: exact
    RowOrder order;
    Geometry geometry;
};

// Checks everything but the weights, scales and zeros, of which only the sizes are looked at; `packed` is not touched.
PreparedPack prepare_pack(const PackRequest &request, std::span<const std::byte> packed);
// The same without a look at g_idx, for an act-order that is expected to fill each group with group_size rows: the row
// order is only as long as that one. Nothing where no such order has a permutation that `packed` has room for.
std::optional<PreparedPack> prepare_even_pack(const PackRequest &request, std::span<const std::byte> packed);

// Fails if any weight, scale or zero of one column of 64 features cannot be packed.
void check_column(const PackRequest &request, const PreparedPack &prepared, int64_t column);

} // namespace marlin
