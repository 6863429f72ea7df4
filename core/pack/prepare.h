// The part of packing that looks at descriptions and short arrays only, the same for every device.
#pragma once

#include <cstddef>
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

// Fails if any weight, scale or zero of one column of 64 features cannot be packed.
void check_column(const PackRequest &request, const PreparedPack &prepared, int64_t column);

} // namespace marlin
