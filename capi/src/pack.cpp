// Packing, attaching and unpacking: descriptors become core's requests.
#include "pack/pack.h"

#include "weights.h"

namespace marlin::capi {
namespace {

// An enumerator that core knows under the same number.
template <typename Enum>
Enum enumerator(const char *name, int32_t value, int64_t highest) {
    check_range(name, value, 0, highest);
    return static_cast<Enum>(value);
}

Type type_of(const char *name, int32_t value) {
    check_not_kept(name, value);
    return enumerator<Type>(name, value, MARLIN_TYPE_U8);
}

void expect_zero(const char *name, int32_t value) {
    if (value != 0)
        fail(Status::InvalidArgument, "{} is {}, expected 0 for a source of packed words", name, value);
}

Layout layout_of(const marlin_pack_desc &desc, const Backend &backend, bool sparse) {
    const auto layout = static_cast<Layout>(desc.layout);
    if (layout == Layout::Default)
        return backend.default_layout(sparse);
    if (!is_known(layout))
        fail(Status::InvalidArgument, "desc.layout is {:#x}, expected 0 or one of marlin_layout", desc.layout);
    return layout;
}

PackRequest read_desc(const marlin_pack_desc *given, const Backend &backend) {
    const marlin_pack_desc desc = read_struct(given, "desc");
    check_reserved(desc.reserved, "desc.reserved");
    check_range("desc.reserved0", desc.reserved0, 0, 0);
    constexpr uint32_t kKnown = MARLIN_PACK_ACT_ORDER | MARLIN_PACK_COLUMN_SCALES;
    if ((desc.flags & ~kKnown) != 0)
        fail(Status::InvalidArgument, "desc.flags is {:#x}, expected a sum of MARLIN_PACK_...", desc.flags);
    // Packed words say themselves what they are. (Sources of later versions are refused as such, by the planner.)
    if (desc.source > MARLIN_SOURCE_PLAIN && desc.source <= MARLIN_SOURCE_MARLIN) {
        expect_zero("desc.src_type", desc.src_type);
        expect_zero("desc.src_order", desc.src_order);
        expect_zero("desc.src_zero_type", desc.src_zero_type);
    }
    PackRequest request;
    request.source = enumerator<Source>("desc.source", desc.source, MARLIN_SOURCE_MARLIN_24);
    request.src_type = type_of("desc.src_type", desc.src_type);
    request.src_order = enumerator<Order>("desc.src_order", desc.src_order, MARLIN_ORDER_NXK);
    request.src_scale_type = type_of("desc.src_scale_type", desc.src_scale_type);
    request.src_zero_type = type_of("desc.src_zero_type", desc.src_zero_type);
    request.type = type_of("desc.type", desc.type);
    request.zero_type = type_of("desc.zero_type", desc.zero_type);
    request.scale_type = type_of("desc.scale_type", desc.scale_type);
    request.scale_method = enumerator<ScaleMethod>("desc.scale_method", desc.scale_method, MARLIN_SCALE_LEAST_SQUARES);
    request.sparsity = enumerator<Sparsity>("desc.sparsity", desc.sparsity, MARLIN_SPARSITY_SELECT_24);
    request.layout = layout_of(desc, backend, request.sparsity != Sparsity::Dense);
    request.act_order = (desc.flags & MARLIN_PACK_ACT_ORDER) != 0;
    request.has_column_scales = (desc.flags & MARLIN_PACK_COLUMN_SCALES) != 0;
    request.k = desc.k;
    request.n = desc.n;
    request.ld_src = desc.ld_src;
    request.group_size = desc.group_size;
    return request;
}

// One array of marlin_pack_input: pointer and size agree, and the memory is of the right kind.
template <typename T>
std::span<const T> read_array(const T *data, size_t size, const char *name, const Backend *owner) {
    if (data == nullptr) {
        if (size != 0)
            fail(Status::InvalidArgument, "input.{} is NULL and its size is {}, expected 0", name, size);
        return {};
    }
    check_alignment(data, name, alignof(T));
    if (size > static_cast<size_t>(INT64_MAX) || size % sizeof(T) != 0)
        fail(Status::InvalidArgument, "input.{}_size is {}, expected a multiple of {} below 2^63", name, size,
             sizeof(T));
    if (owner != nullptr)
        owner->check_memory(data, name);
    return {data, size / sizeof(T)};
}

// A flag of the description promises an array, and only then may it be given.
void check_promise(bool promised, bool given, const char *name, const char *flag) {
    if (promised != given)
        fail(Status::InvalidArgument, "input.{} is {}, expected it exactly with {} in desc.flags", name,
             given ? "given" : "NULL", flag);
}

bool read_input(const marlin_pack_input *given, const Backend &backend, PackRequest &request) {
    const marlin_pack_input input = read_struct(given, "input");
    check_reserved(input.reserved, "input.reserved");
    check_range("input.memory", input.memory, 0, 1);
    const bool host = input.memory == 1;
    const Backend *owner = host ? nullptr : &backend;
    const auto bytes = [](const void *data) { return static_cast<const std::byte *>(data); };
    if (input.src == nullptr)
        fail(Status::InvalidArgument, "input.src is NULL, expected the weights");
    request.src = read_array(bytes(input.src), input.src_size, "src", owner);
    request.scales = read_array(bytes(input.scales), input.scales_size, "scales", owner);
    request.zeros = read_array(bytes(input.zeros), input.zeros_size, "zeros", owner);
    request.g_idx = read_array(input.g_idx, input.g_idx_size, "g_idx", owner);
    request.importance = read_array(input.importance, input.importance_size, "importance", owner);
    request.column_scales = read_array(input.column_scales, input.column_scales_size, "column_scales", owner);
    check_promise(request.act_order, input.g_idx != nullptr, "g_idx", "MARLIN_PACK_ACT_ORDER");
    check_promise(request.has_column_scales, input.column_scales != nullptr, "column_scales",
                  "MARLIN_PACK_COLUMN_SCALES");
    return host;
}

void check_packed(const void *packed, const Backend &backend) {
    if (packed == nullptr)
        fail(Status::InvalidArgument, "packed is NULL, expected a buffer");
    check_alignment(packed, "packed", kPackedAlignment);
    backend.check_memory(packed, "packed");
}

template <typename T>
void check_apart(std::span<const T> input, const char *name, const void *packed, size_t packed_size) {
    if (overlap(input.data(), static_cast<int64_t>(input.size_bytes()), packed, static_cast<int64_t>(packed_size)))
        fail(Status::InvalidArgument, "packed overlaps input.{}", name);
}

std::span<std::byte> output_array(void *data, size_t size, const char *name, const Backend &backend) {
    if (data == nullptr) {
        if (size != 0)
            fail(Status::InvalidArgument, "desc.{} is NULL and its size is {}, expected 0", name, size);
        return {};
    }
    if (size > static_cast<size_t>(INT64_MAX))
        fail(Status::InvalidArgument, "desc.{}_size is {}, expected less than 2^63", name, size);
    backend.check_memory(data, name);
    return {static_cast<std::byte *>(data), size};
}

} // namespace
} // namespace marlin::capi

using namespace marlin;
using namespace marlin::capi;

extern "C" {

marlin_status marlin_pack_size(marlin_handle_t handle, const marlin_pack_desc *desc, size_t *size) {
    return with_handle("marlin_pack_size", handle, [&](marlin_handle &self) {
        if (size == nullptr)
            fail(Status::InvalidArgument, "size is NULL, expected where to put the size");
        *size = static_cast<size_t>(packed_size(plan_pack(read_desc(desc, *self.backend))));
    });
}

marlin_status marlin_pack(marlin_handle_t handle, const marlin_pack_desc *desc, const marlin_pack_input *input,
                          void *packed, size_t packed_size, marlin_weights *weights) {
    return with_handle("marlin_pack", handle, [&](marlin_handle &self) {
        check_output(weights, "weights");
        PackRequest request = read_desc(desc, *self.backend);
        const auto needed = static_cast<size_t>(marlin::packed_size(plan_pack(request)));
        const bool host_input = read_input(input, *self.backend, request);
        check_packed(packed, *self.backend);
        if (packed_size < needed)
            fail(Status::InvalidArgument, "packed_size is {}, expected at least {} (marlin_pack_size)", packed_size,
                 needed);
        check_apart(request.src, "src", packed, needed);
        check_apart(request.scales, "scales", packed, needed);
        check_apart(request.zeros, "zeros", packed, needed);
        check_apart(request.g_idx, "g_idx", packed, needed);
        check_apart(request.importance, "importance", packed, needed);
        check_apart(request.column_scales, "column_scales", packed, needed);
        const WeightsView view =
            self.backend->pack(request, host_input, std::span(static_cast<std::byte *>(packed), needed));
        const auto used = static_cast<size_t>(kHeaderSize + view.geometry.body_size);
        write_struct(weights, to_struct(view, packed, used, self));
    });
}

marlin_status marlin_weights_attach(marlin_handle_t handle, const void *packed, size_t packed_size,
                                    marlin_weights *weights) {
    return with_handle("marlin_weights_attach", handle, [&](marlin_handle &self) {
        check_output(weights, "weights");
        check_packed(packed, *self.backend);
        if (packed_size > static_cast<size_t>(INT64_MAX))
            fail(Status::InvalidArgument, "packed_size is {}, expected less than 2^63", packed_size);
        const WeightsView view = self.backend->attach({static_cast<const std::byte *>(packed), packed_size});
        const auto used = static_cast<size_t>(kHeaderSize + view.geometry.body_size);
        write_struct(weights, to_struct(view, packed, used, self));
    });
}

marlin_status marlin_unpack(marlin_handle_t handle, const marlin_weights *weights, const marlin_unpack_desc *desc) {
    return with_handle("marlin_unpack", handle, [&](marlin_handle &self) {
        const WeightsView view = to_view(weights, "weights", self);
        const marlin_unpack_desc known = read_struct(desc, "desc");
        check_reserved(known.reserved, "desc.reserved");
        check_range("desc.reserved0", known.reserved0, 0, 0);
        UnpackRequest request;
        request.dst_type = type_of("desc.dst_type", known.dst_type);
        request.dst_order = enumerator<Order>("desc.dst_order", known.dst_order, MARLIN_ORDER_NXK);
        request.ld_dst = known.ld_dst;
        request.dst = output_array(known.dst, known.dst_size, "dst", *self.backend);
        request.scales = output_array(known.scales, known.scales_size, "scales", *self.backend);
        request.zeros = output_array(known.zeros, known.zeros_size, "zeros", *self.backend);
        self.backend->unpack(view, request);
    });
}

} // extern "C"
