// The kernels of packing, run by the calling thread tile after tile.
#pragma once

#include <span>
#include <string>

#include "pack/pack.h"

namespace marlin::test {

// Packs like pack_host. Returns kNoColumn, or the lowest column that cannot be packed, with nothing written.
uint64_t pack_emulated(const PackRequest &request, std::span<std::byte> packed);

// Which kernels pack this.
std::string way_of(const PackRequest &request);

// Unpacks weights that lie on the host, dst only.
void unpack_emulated(const WeightsView &weights, const UnpackRequest &request);

} // namespace marlin::test
