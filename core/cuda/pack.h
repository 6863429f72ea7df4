// Packing, attaching and unpacking in device memory. All return when the work is done.
#pragma once

#include <span>

#include "cuda/scratch.h"
#include "pack/request.h"

namespace marlin::cuda {

// Like pack_host, byte for byte and word for word, but `packed` lies in device memory, and so do the request's arrays
// unless `host_input`; those of the host are copied to the device first.
WeightsView pack_on_device(const PackRequest &request, bool host_input, std::span<std::byte> packed,
                           const WorkPlace &place);

// Like attach_host and unpack_host.
WeightsView attach_on_device(std::span<const std::byte> packed, const WorkPlace &place);
void unpack_on_device(const WeightsView &weights, const UnpackRequest &request, const WorkPlace &place);

} // namespace marlin::cuda
