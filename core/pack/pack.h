// Packing and unpacking in host memory, for every layout and source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pack/request.h"

namespace marlin {

// Runs body(begin, end) over disjoint parts of [0, count), perhaps on several threads. The bytes that packing gives
// do not depend on the split.
class ParallelFor {
public:
    virtual ~ParallelFor() = default;
    virtual void run(int64_t count, void (*body)(void *context, int64_t begin, int64_t end), void *context) = 0;
};

// Checks every field that can be checked without the data and returns the shape to be packed. Where the data decides
// the shape is an upper bound: k_packed with act_order, and zeros (as if given) of GPTQ and compressed-tensors words
// while request.src is empty and request.type is None.
PackedShape plan_pack(const PackRequest &request);

// Bytes that pack_host may write, header included.
int64_t packed_size(const PackedShape &shape);

// Checks the data and packs it. `packed` is 256-byte aligned and long enough for what the data gives,
// packed_size(plan_pack(request)) at most; nothing is written when this throws. Returns the reading of what was
// written.
WeightsView pack_host(const PackRequest &request, std::span<std::byte> packed, ParallelFor &parallel);

// The way back: values or codes in source row order (act-order undone), scales and zeros as stored, packed groups x n.
// Column scales are not part of the values.
void unpack_host(const WeightsView &weights, const UnpackRequest &request, ParallelFor &parallel);

} // namespace marlin
