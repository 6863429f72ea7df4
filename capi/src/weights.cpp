// Filling marlin_weights, and reading it back for a call.
#include "weights.h"

namespace marlin::capi {
namespace {

// The last reserved word holds a checksum of all words before it: no secret, but nobody fills it by accident.
constexpr size_t kSealedWords = offsetof(marlin_weights, reserved) / 8 + 7;
static_assert(sizeof(marlin_weights) == 8 * (kSealedWords + 1));

uint64_t seal_of(const marlin_weights &weights) {
    uint64_t sum = 0;
    for (size_t i = 0; i < kSealedWords; ++i) {
        uint64_t word = 0;
        std::memcpy(&word, reinterpret_cast<const char *>(&weights) + 8 * i, 8);
        if (i == 0)
            word &= ~uint64_t{0xffffffff}; // struct_size is the reader's
        sum += checksum_word(word, i);
    }
    return sum;
}
static_assert(offsetof(marlin_weights, struct_size) == 0);

} // namespace

marlin_weights to_struct(const WeightsView &view, const void *packed, size_t packed_size, const marlin_handle &handle) {
    const PackedShape &shape = view.shape();
    marlin_weights result = {};
    result.layout = static_cast<int32_t>(shape.layout);
    result.type = static_cast<int32_t>(shape.type);
    result.scale_type = static_cast<int32_t>(shape.scale_type);
    result.zero_type = static_cast<int32_t>(shape.zero_type);
    result.device = static_cast<int32_t>(handle.kind);
    result.device_id = handle.device_id;
    result.flags = view.sparse() ? 1u : 0u;
    result.k = view.k;
    result.n = view.n;
    result.group_size = shape.group_size;
    result.k_packed = shape.k_packed;
    result.data = packed;
    result.data_size = packed_size;
    result.perm = view.perm;
    result.column_scales = view.column_scales;
    result.reserved[7] = seal_of(result);
    return result;
}

WeightsView to_view(const marlin_weights *weights, const char *name, const marlin_handle &handle) {
    const marlin_weights known = read_struct(weights, name);
    if (known.reserved[7] != seal_of(known))
        fail(Status::InvalidArgument,
             "{} is not as marlin_pack or marlin_weights_attach filled it: nobody else may fill or change it", name);
    if (known.device != static_cast<int32_t>(handle.kind) || known.device_id != handle.device_id)
        fail(Status::InvalidArgument, "{}.device is {}, device_id {}, expected {}, {}: those of the handle", name,
             known.device, known.device_id, static_cast<int32_t>(handle.kind), handle.device_id);
    PackedShape shape;
    shape.layout = static_cast<Layout>(known.layout);
    shape.type = static_cast<Type>(known.type);
    shape.scale_type = static_cast<Type>(known.scale_type);
    shape.zero_type = static_cast<Type>(known.zero_type);
    shape.k_packed = known.k_packed;
    shape.n = known.n;
    shape.group_size = known.group_size;
    shape.has_perm = known.perm != nullptr;
    shape.has_column_scales = known.column_scales != nullptr;
    WeightsView view;
    view.geometry = make_geometry(shape);
    view.k = known.k;
    view.n = known.n;
    view.body = static_cast<const std::byte *>(known.data) + kHeaderSize;
    view.perm = known.perm;
    view.column_scales = known.column_scales;
    return view;
}

} // namespace marlin::capi
