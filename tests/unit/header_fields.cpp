// The header of packed weights: what is written comes back, and every damaged field is refused by its name.
#include <cstring>
#include <functional>
#include <vector>

#include "layout/header.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/packed_bytes.h"

using namespace marlin;
using test::PackedBytes;

namespace {

struct Damage {
    const char *named;
    std::function<void(PackedHeader &)> apply;
};

// Each with the checksum of the header made right again, so that only the field itself can be noticed.
const Damage kDamages[] = {
    {"magic", [](PackedHeader &h) { h.magic[0] = 'm'; }},
    {"magic", [](PackedHeader &h) { h.magic[7] = 'X'; }},
    {"header_size is 128", [](PackedHeader &h) { h.header_size = 128; }},
    {"header_size is 257", [](PackedHeader &h) { h.header_size = 257; }},
    {"layout is 0x1004", [](PackedHeader &h) { h.layout = 0x1004; }},
    {"layout is 0x0", [](PackedHeader &h) { h.layout = 0; }},
    {"layout is -0x1", [](PackedHeader &h) { h.layout = -1; }},
    {"type is 0", [](PackedHeader &h) { h.type = 0; }},
    {"type is 6", [](PackedHeader &h) { h.type = 6; }},
    {"scale_type is 3", [](PackedHeader &h) { h.scale_type = 3; }},
    {"scale_type is 0", [](PackedHeader &h) { h.scale_type = 0; }},
    {"zero_type is 0", [](PackedHeader &h) { h.zero_type = 0; }},
    {"zero_type is 5", [](PackedHeader &h) { h.zero_type = 5; }},
    {"zero_type is 10", [](PackedHeader &h) { h.type = 4; }}, // s4 has no zeros
    {"flags is 8", [](PackedHeader &h) { h.flags = 8; }},
    {"flags is 2147483648", [](PackedHeader &h) { h.flags = 0x80000000u; }},
    {"flags is 3", [](PackedHeader &h) { h.flags |= kFlagSparse24; }},
    {"k is 0", [](PackedHeader &h) { h.k = 0; }},
    {"k is -1", [](PackedHeader &h) { h.k = -1; }},
    {"k is 2147483648", [](PackedHeader &h) { h.k = int64_t{1} << 31; }},
    {"k_packed is 256, expected a multiple", [](PackedHeader &h) { h.k = 300; }},
    {"n is 0", [](PackedHeader &h) { h.n = 0; }},
    {"n is 2147483648", [](PackedHeader &h) { h.n = int64_t{1} << 31; }},
    {"n is -9223372036854775808", [](PackedHeader &h) { h.n = INT64_MIN; }},
    {"body_size is", [](PackedHeader &h) { h.n = 200; }},
    {"group_size is 0", [](PackedHeader &h) { h.group_size = 0; }},
    {"group_size is 16", [](PackedHeader &h) { h.group_size = 16; }},
    {"group_size is -2", [](PackedHeader &h) { h.group_size = -2; }},
    {"k_packed is 0", [](PackedHeader &h) { h.k_packed = 0; }},
    {"k_packed is 257", [](PackedHeader &h) { h.k_packed = 257; }},
    {"k_packed is 9223372036854775744", [](PackedHeader &h) { h.k_packed = INT64_MAX / 64 * 64; }},
    {"k_packed is 4294967552", [](PackedHeader &h) { h.k_packed = (int64_t{1} << 32) + 256; }},
    {"body_size is", [](PackedHeader &h) { h.k_packed = 320; }},
    {"body_size is 0", [](PackedHeader &h) { h.body_size = 0; }},
    {"body_size is -256", [](PackedHeader &h) { h.body_size = -256; }},
    {"body: checksum", [](PackedHeader &h) { ++h.body_checksum; }},
    {"reserved", [](PackedHeader &h) { h.reserved[0] = 1; }},
    {"reserved", [](PackedHeader &h) { h.reserved[167] = 0x80; }},
};

PackedBytes some_weights() {
    PackedShape shape;
    shape.layout = Layout::Dense;
    shape.type = Type::U4;
    shape.zero_type = Type::U8;
    shape.k_packed = 256;
    shape.n = 100;
    shape.group_size = 64;
    shape.has_perm = true;
    return PackedBytes(shape, 190, 1);
}

} // namespace

TEST_CASE("what the header says comes back as it was written, for every kind of weights") {
    for (const Layout layout : {Layout::Dense, Layout::Sparse24Draft, Layout::CpuDraft, Layout::CpuSparse24Draft})
        for (const int64_t group_size : {int64_t{32}, int64_t{64}, int64_t{128}, kGroupPerColumn})
            for (const Type zero_type : {Type::None, Type::U8, Type::F16, Type::BF16, Type::F32})
                for (const bool extras : {false, true}) {
                    PackedShape shape;
                    shape.layout = layout;
                    shape.type = zero_type == Type::None ? Type::S4 : Type::U4;
                    shape.scale_type = extras ? Type::BF16 : Type::F16;
                    shape.zero_type = zero_type;
                    shape.k_packed = 256;
                    shape.n = 65;
                    shape.group_size = group_size;
                    shape.has_perm = extras;
                    shape.has_column_scales = extras;
                    const int64_t k = 256 - run_rows(layout, group_size) + 1;
                    const PackedBytes packed(shape, k, 7);
                    const WeightsView view = attach_host(packed.bytes());
                    CHECK(view.k == k);
                    CHECK(view.n == 65);
                    CHECK(view.shape().layout == layout);
                    CHECK(view.shape().type == shape.type);
                    CHECK(view.shape().scale_type == shape.scale_type);
                    CHECK(view.shape().zero_type == zero_type);
                    CHECK(view.shape().group_size == group_size);
                    CHECK(view.shape().k_packed == 256);
                    CHECK(view.geometry.body_size == make_geometry(shape).body_size);
                    CHECK(view.body == packed.bytes().data() + kHeaderSize);
                    CHECK((view.perm != nullptr) == extras);
                    CHECK((view.column_scales != nullptr) == extras);
                    if (extras) {
                        CHECK(reinterpret_cast<const std::byte *>(view.perm) == view.body + view.geometry.perm_offset);
                        CHECK(reinterpret_cast<const std::byte *>(view.column_scales) ==
                              view.body + view.geometry.column_scales_offset);
                    }
                }
}

TEST_CASE("every damaged field of the header is refused by name, even with its checksum made right") {
    for (const Damage &damage : kDamages) {
        PackedBytes packed = some_weights();
        damage.apply(packed.header());
        packed.seal_header();
        const Error error = test::error_of([&] { attach_host(packed.bytes()); });
        CAPTURE(damage.named, error.text());
        CHECK(error.status() == Status::BadPackedData);
        CHECK(test::contains(error.text(), damage.named));
    }
}

TEST_CASE("a damaged field that keeps the old checksum is refused as well") {
    for (const Damage &damage : kDamages) {
        PackedBytes packed = some_weights();
        damage.apply(packed.header());
        const Error error = test::error_of([&] { attach_host(packed.bytes()); });
        CHECK(error.status() == Status::BadPackedData);
    }
}

TEST_CASE("rows in order have exactly k rounded up to whole runs") {
    PackedShape shape;
    shape.layout = Layout::CpuDraft;
    shape.k_packed = 256;
    shape.n = 64;
    shape.group_size = 64;
    CHECK_NOTHROW(attach_host(PackedBytes(shape, 256, 1).bytes()));
    CHECK_NOTHROW(attach_host(PackedBytes(shape, 193, 1).bytes()));
    const Error error = test::error_of([&] { attach_host(PackedBytes(shape, 192, 1).bytes()); });
    CHECK(error.status() == Status::BadPackedData);
    CHECK(test::contains(error.text(), "k_packed is 256"));
}

TEST_CASE("packed bytes cut anywhere are refused, longer ones accepted") {
    const PackedBytes packed = some_weights();
    const auto whole = packed.bytes();
    CHECK_NOTHROW(attach_host(whole));
    for (const size_t size : {size_t{0}, size_t{1}, size_t{8}, size_t{255}, size_t{256}, size_t{257}, whole.size() / 2,
                              whole.size() - 256, whole.size() - 1}) {
        const Error error = test::error_of([&] { attach_host(whole.first(size)); });
        CAPTURE(size, error.text());
        CHECK(error.status() == Status::BadPackedData);
        CHECK(test::contains(error.text(), "packed_size is " + std::to_string(size)));
    }
    std::vector<std::byte> longer(whole.begin(), whole.end());
    longer.resize(longer.size() + 1000, std::byte{0xff});
    CHECK_NOTHROW(attach_host(longer));
}

TEST_CASE("permutation entries outside -1 .. k - 1 are refused though the checksum is right") {
    for (const int32_t entry : {-2, 190, 191, INT32_MAX, INT32_MIN}) {
        PackedBytes packed = some_weights();
        packed.perm()[200] = entry;
        packed.seal();
        const Error error = test::error_of([&] { attach_host(packed.bytes()); });
        CAPTURE(entry, error.text());
        CHECK(error.status() == Status::BadPackedData);
        CHECK(test::contains(error.text(), "perm entry is " + std::to_string(entry)));
    }
    for (const int32_t entry : {-1, 0, 189}) {
        PackedBytes packed = some_weights();
        packed.perm()[200] = entry;
        packed.seal();
        CHECK_NOTHROW(attach_host(packed.bytes()));
    }
}

TEST_CASE("reading the header alone never touches the body") {
    const PackedBytes packed = some_weights();
    PackedHeader header;
    std::memcpy(&header, packed.bytes().data(), sizeof header);
    const auto *elsewhere = reinterpret_cast<const std::byte *>(uintptr_t{0x100000});
    const auto size = static_cast<int64_t>(packed.bytes().size());
    const WeightsView view = read_header(header, size, elsewhere);
    CHECK(view.body == elsewhere);
    CHECK(view.k == 190);
    const Error error = test::error_of([&] { read_header(header, size - 1, elsewhere); });
    CHECK(test::contains(error.text(), "packed_size is " + std::to_string(size - 1)));
}
