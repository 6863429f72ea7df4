// Writing and checking the header of packed weights.
#include "layout/header.h"

#include <bit>
#include <cstring>

#include "common/error.h"

namespace marlin {

static_assert(std::endian::native == std::endian::little, "packed weights are little-endian");

namespace {

constexpr char kMagic[8] = {'M', 'A', 'R', 'L', 'I', 'N', 'W', '\0'};

std::span<const std::byte> checked_part(const PackedHeader &header) {
    return std::as_bytes(std::span(&header, 1)).first(offsetof(PackedHeader, header_checksum));
}

void expect(bool good, const char *name, int64_t value, const char *expectation) {
    if (!good)
        fail(Status::BadPackedData, "packed header: {} is {}, expected {}", name, value, expectation);
}

bool is_half_type(int32_t type) {
    return is_half(static_cast<Type>(type));
}

} // namespace

uint64_t checksum(std::span<const std::byte> bytes) {
    uint64_t sum = 0;
    const size_t words = bytes.size() / 8;
    for (size_t i = 0; i < words; ++i) {
        uint64_t word = 0;
        std::memcpy(&word, bytes.data() + 8 * i, 8);
        sum += checksum_word(word, i);
    }
    return sum;
}

PackedHeader make_header(const Geometry &geometry, int64_t k, std::span<const std::byte> body) {
    return make_header(geometry, k, checksum(body));
}

PackedHeader make_header(const Geometry &geometry, int64_t k, uint64_t body_checksum) {
    const PackedShape &shape = geometry.shape;
    PackedHeader header = {};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    header.header_size = kHeaderSize;
    header.layout = static_cast<int32_t>(shape.layout);
    header.type = static_cast<int32_t>(shape.type);
    header.scale_type = static_cast<int32_t>(shape.scale_type);
    header.zero_type = static_cast<int32_t>(shape.zero_type);
    header.flags = (geometry.sparse() ? kFlagSparse24 : 0u) | (shape.has_perm ? kFlagPerm : 0u) |
                   (shape.has_column_scales ? kFlagColumnScales : 0u);
    header.k = k;
    header.n = shape.n;
    header.group_size = shape.group_size;
    header.k_packed = shape.k_packed;
    header.body_size = geometry.body_size;
    header.body_checksum = body_checksum;
    header.header_checksum = checksum(checked_part(header));
    return header;
}

WeightsView read_header(const PackedHeader &header, int64_t packed_size, const std::byte *body) {
    expect(packed_size >= kHeaderSize, "packed_size", packed_size, "at least 256");
    if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0)
        fail(Status::BadPackedData, "packed header: magic is not \"MARLINW\": these are not packed weights");
    expect(header.header_size == kHeaderSize, "header_size", header.header_size, "256");
    if (header.header_checksum != checksum(checked_part(header)))
        fail(Status::BadPackedData, "packed header: checksum is {:#x}, expected {:#x}: the header is damaged",
             header.header_checksum, checksum(checked_part(header)));
    // A later version may give these bytes a meaning that this one would miss.
    for (const uint8_t byte : header.reserved)
        expect(byte == 0, "reserved", byte, "0");
    const auto layout = static_cast<Layout>(header.layout);
    if (!is_known(layout))
        fail(Status::BadPackedData, "packed header: layout is {:#x}, unknown to this version of libmarlin",
             header.layout);
    const auto type = static_cast<Type>(header.type);
    const auto zero_type = static_cast<Type>(header.zero_type);
    expect(is_code4(type), "type", header.type, "4 (s4) or 5 (u4)");
    expect(is_half_type(header.scale_type), "scale_type", header.scale_type, "1 (f16) or 2 (bf16)");
    expect((type == Type::S4) == (zero_type == Type::None), "zero_type", header.zero_type,
           "0 (none) for s4, else a zero point or offset type");
    expect(zero_type == Type::None || zero_type == Type::U8 || is_float(zero_type), "zero_type", header.zero_type,
           "0, 1, 2, 3 or 10");
    expect((header.flags & ~uint32_t{kKnownFlags}) == 0, "flags", header.flags, "known bits only");
    expect(((header.flags & kFlagSparse24) != 0) == is_sparse24(layout), "flags", header.flags,
           "the sparse bit exactly for a 2:4 layout");
    expect(header.k >= 1 && header.k <= kMaxDimension, "k", header.k, "1 .. 2147483647");
    expect(header.n >= 1 && header.n <= kMaxDimension, "n", header.n, "1 .. 2147483647");
    expect(is_group_size(header.group_size), "group_size", header.group_size, "32, 64, 128 or -1");
    const int64_t run_k = run_rows(layout, header.group_size);
    expect(header.k_packed >= header.k && header.k_packed % run_k == 0 && header.k_packed <= kMaxPackedRows, "k_packed",
           header.k_packed, "a multiple of the run length, at least k");

    PackedShape shape;
    shape.layout = layout;
    shape.type = type;
    shape.scale_type = static_cast<Type>(header.scale_type);
    shape.zero_type = zero_type;
    shape.k_packed = header.k_packed;
    shape.n = header.n;
    shape.group_size = header.group_size;
    shape.has_perm = (header.flags & kFlagPerm) != 0;
    shape.has_column_scales = (header.flags & kFlagColumnScales) != 0;
    expect(shape.has_perm || header.k_packed < header.k + run_k, "k_packed", header.k_packed,
           "k rounded up to the run length where rows are in order");

    WeightsView view;
    view.geometry = make_geometry(shape);
    view.k = header.k;
    view.n = header.n;
    expect(header.body_size == view.geometry.body_size, "body_size", header.body_size, "what the shape gives");
    expect(packed_size - kHeaderSize >= header.body_size, "packed_size", packed_size,
           "at least the header and its body_size");
    view.body = body;
    if (shape.has_perm)
        view.perm = reinterpret_cast<const int32_t *>(body + view.geometry.perm_offset);
    if (shape.has_column_scales)
        view.column_scales = reinterpret_cast<const float *>(body + view.geometry.column_scales_offset);
    return view;
}

void check_body_checksum(const PackedHeader &header, uint64_t found) {
    if (found != header.body_checksum)
        fail(Status::BadPackedData, "packed body: checksum is {:#x}, expected {:#x}: the weights are damaged", found,
             header.body_checksum);
}

void check_perm_entries(std::span<const int32_t> perm, int64_t k) {
    for (const int32_t row : perm)
        expect(row >= -1 && row < k, "perm entry", row, "-1 .. k - 1");
}

WeightsView attach_host(std::span<const std::byte> packed) {
    expect(packed.size() >= kHeaderSize, "packed_size", static_cast<int64_t>(packed.size()), "at least 256");
    PackedHeader header;
    std::memcpy(&header, packed.data(), sizeof header);
    const WeightsView view = read_header(header, static_cast<int64_t>(packed.size()), packed.data() + kHeaderSize);
    check_body_checksum(header, checksum(packed.subspan(kHeaderSize, static_cast<size_t>(view.geometry.body_size))));
    if (view.perm != nullptr)
        check_perm_entries({view.perm, static_cast<size_t>(view.shape().k_packed)}, view.k);
    return view;
}

} // namespace marlin
