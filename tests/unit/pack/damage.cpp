// Packed bytes that changed after packing never attach.
#include <random>

#include "common/error.h"
#include "support/catch.h"
#include "unit/pack/buffer.h"
#include "unit/pack/weights.h"

namespace marlin::test {
namespace {

bool attaches(const PackedBuffer &packed) {
    try {
        attach_host(packed.bytes());
        return true;
    } catch (const Error &error) {
        REQUIRE(error.status() == Status::BadPackedData);
        return false;
    }
}

} // namespace

TEST_CASE("every changed header byte and any changed body bit is noticed", "[pack]") {
    std::mt19937 rng(13);
    for (const Layout layout : {Layout::Dense, Layout::Sparse24Draft, Layout::CpuDraft, Layout::CpuSparse24Draft}) {
        WeightsOptions options;
        options.k = 150;
        options.n = 66;
        options.group_size = 32;
        options.zeros = Zeros::Integer;
        options.act_order = true;
        SourceArrays arrays;
        const Weights w = random_weights(options, rng);
        PackRequest request = encode(w, {}, arrays);
        request.layout = layout;
        request.sparsity = is_sparse24(layout) ? Sparsity::Select24 : Sparsity::Dense;
        std::vector<float> column_scales(66, 0.5f);
        request.column_scales = column_scales;
        request.has_column_scales = true;
        PackedBuffer packed(packed_size(plan_pack(request)));
        SerialFor serial;
        const WeightsView view = pack_host(request, packed.bytes(), serial);
        REQUIRE(attaches(packed));
        REQUIRE(view.column_scales[65] == 0.5f);

        const auto flip = [&](int64_t at, int bit) { packed.bytes()[at] ^= static_cast<std::byte>(1 << bit); };
        for (int64_t at = 0; at < kHeaderSize; ++at) {
            const int bit = static_cast<int>(rng() % 8);
            flip(at, bit);
            REQUIRE_FALSE(attaches(packed));
            flip(at, bit);
        }
        for (int i = 0; i < 300; ++i) {
            const int64_t at = kHeaderSize + static_cast<int64_t>(rng() % uint64_t(view.geometry.body_size));
            const int bit = static_cast<int>(rng() % 8);
            flip(at, bit);
            REQUIRE_FALSE(attaches(packed));
            flip(at, bit);
        }
        REQUIRE(attaches(packed));
    }
}

TEST_CASE("a permutation that forgets rows is refused by unpack though all checksums are right", "[pack]") {
    std::mt19937 rng(14);
    WeightsOptions options;
    options.k = 100;
    options.n = 3;
    options.group_size = 32;
    options.act_order = true;
    SourceArrays arrays;
    const Weights w = random_weights(options, rng);
    PackRequest request = encode(w, {}, arrays);
    request.layout = Layout::CpuDraft;
    PackedBuffer packed(packed_size(plan_pack(request)));
    SerialFor serial;
    const WeightsView view = pack_host(request, packed.bytes(), serial);
    REQUIRE(view.perm != nullptr);
    std::vector<float> out(100 * 3, -1.0f);
    UnpackRequest back;
    back.dst_type = Type::F32;
    back.dst = std::as_writable_bytes(std::span(out));
    for (const int32_t row : {view.perm[1], -1}) { // one row twice, or one row never
        auto *perm = const_cast<int32_t *>(view.perm);
        const int32_t before = perm[0];
        perm[0] = row;
        const auto body = packed.bytes().subspan(kHeaderSize, static_cast<size_t>(view.geometry.body_size));
        const PackedHeader header = make_header(view.geometry, view.k, body);
        std::memcpy(packed.bytes().data(), &header, sizeof header);
        const WeightsView attached = attach_host(packed.bytes());
        try {
            unpack_host(attached, back, serial);
            FAIL("unpacked");
        } catch (const Error &error) {
            CHECK(error.status() == Status::BadPackedData);
        }
        CHECK(out == std::vector<float>(100 * 3, -1.0f));
        perm[0] = before;
    }
}

} // namespace marlin::test
