// marlin_weights and core's view of packed weights: one made from the other.
#pragma once

#include "boundary.h"
#include "layout/header.h"

namespace marlin::capi {

inline constexpr size_t kPackedAlignment = 256;

// The struct for a view, sealed so that one filled by hand, or half overwritten, is noticed.
marlin_weights to_struct(const WeightsView &view, const void *packed, size_t packed_size, const marlin_handle &handle);

// Checks struct and seal, and that the weights lie on the handle's device.
WeightsView to_view(const marlin_weights *weights, const char *name, const marlin_handle &handle);

} // namespace marlin::capi
