// What pack and unpack refuse: every text has name, value and expectation, and nothing is written.
#include <functional>
#include <limits>

#include "common/error.h"
#include "support/catch.h"
#include "unit/pack/buffer.h"
#include "unit/pack/weights.h"

namespace marlin::test {
namespace {

using Catch::Matchers::Contains;

// 70 x 66 codes with zeros, group 32, on their way into the CPU layout.
struct Case {
    Case() : Case(SourceForm{}) {}
    explicit Case(const SourceForm &form) {
        WeightsOptions options;
        options.k = 70;
        options.n = 66;
        options.group_size = 32;
        options.zeros = is_float(form.zero_type) ? Zeros::Offset : Zeros::Integer;
        std::mt19937 rng(9);
        weights = random_weights(options, rng);
        for (float &zero : weights.zero)
            zero = zero == 0.0f ? 1.0f : zero;
        request = encode(weights, form, arrays);
        request.layout = Layout::CpuDraft;
    }
    Case(const Case &) = delete;

    Status refused(const char *text) const {
        PackedBuffer packed(1 << 16);
        ThreadedFor threads(2);
        try {
            pack_host(request, packed.bytes(), threads);
        } catch (const Error &error) {
            CHECK_THAT(error.text(), Contains(text));
            CHECK(packed.untouched_from(0));
            return error.status();
        }
        FAIL("accepted, expected: " << text);
        return Status::Success;
    }
    void put_scale(int64_t index, double value) {
        std::vector<std::byte> bytes;
        append_number(bytes, value, request.src_scale_type);
        std::copy(bytes.begin(), bytes.end(), arrays.scales.begin() + index * size_of(request.src_scale_type));
    }

    Weights weights;
    SourceArrays arrays;
    PackRequest request;
};

constexpr Status kInvalid = Status::InvalidArgument;

} // namespace

TEST_CASE("fields of a pack request are refused by name", "[pack]") {
    const struct {
        std::function<void(PackRequest &)> spoil;
        const char *text;
        Status status = kInvalid;
    } fields[] = {
        {[](PackRequest &r) { r.k = 0; }, "k is 0, expected 1 .. 2147483647"},
        {[](PackRequest &r) { r.n = int64_t{1} << 31; }, "n is 2147483648, expected 1 .. 2147483647"},
        {[](PackRequest &r) { r.group_size = 0; }, "group_size is 0, expected 32, 64, 128 or -1"},
        {[](PackRequest &r) { r.layout = Layout::Default; }, "layout is 0x0, expected"},
        {[](PackRequest &r) { r.source = static_cast<Source>(7); }, "source is 7, expected 0 .. 6"},
        {[](PackRequest &r) { r.source = Source::Marlin24; }, "source is 6", Status::NotSupported},
        {[](PackRequest &r) { r.src_order = static_cast<Order>(2); }, "src_order is 2, expected 0 .. 1"},
        {[](PackRequest &r) { r.sparsity = static_cast<Sparsity>(3); }, "sparsity is 3, expected 0 .. 2"},
        {[](PackRequest &r) { r.sparsity = Sparsity::Select24; }, "sparsity is 2, expected 0 (dense)"},
        {[](PackRequest &r) { r.layout = Layout::Sparse24Draft; }, "sparsity is 0, expected 1 (already 2:4) or 2"},
        {[](PackRequest &r) { r.scale_method = ScaleMethod::LeastSquares; }, "scale_method is 1, expected 0"},
        {[](PackRequest &r) { r.src_type = Type::U8; }, "src_type is u8, expected f16, bf16, f32, s4 or u4"},
        {[](PackRequest &r) { r.src_type = Type::F16; }, "src_scale_type is f16, expected none"},
        {[](PackRequest &r) { r.src_type = Type::S4; }, "src_zero_type is u8, expected none for codes of type s4"},
        {[](PackRequest &r) { r.src_scale_type = Type::None; }, "src_scale_type is none, expected f16, bf16 or f32"},
        {[](PackRequest &r) { r.src_zero_type = Type::S4; }, "src_zero_type is s4, expected none, u8"},
        {[](PackRequest &r) { r.type = Type::F16; }, "type is f16, expected none, s4 or u4"},
        {[](PackRequest &r) { r.type = Type::S4; }, "zero point of group 0, column 0 is"},
        {[](PackRequest &r) { r.type = Type::S4, r.zero_type = Type::U8; }, "zero_type is u8, expected none"},
        {[](PackRequest &r) { r.zero_type = Type::F32; }, "zero_type is f32, expected none or u8"},
        {[](PackRequest &r) { r.zero_type = Type::S8; }, "zero_type is s8, expected none, u8"},
        {[](PackRequest &r) { r.scale_type = Type::F32; }, "scale_type is f32, expected none, f16 or bf16"},
        {[](PackRequest &r) { r.ld_src = 65; }, "ld_src is 65, expected 0 or >= n = 66"},
        {[](PackRequest &r) { r.ld_src = std::numeric_limits<int64_t>::max() / 8; }, "overflows"},
        {[](PackRequest &r) { r.src = {}; }, "src is NULL or empty"},
        {[](PackRequest &r) { r.src = r.src.first(10); }, "src_size is 10 bytes, expected 4620"},
        {[](PackRequest &r) { r.scales = {}; }, "scales_size is 0 bytes, expected 396: 3 x 66 elements of 2 bytes"},
        {[](PackRequest &r) { r.zeros = r.zeros.first(1); }, "zeros_size is 1 bytes, expected 198"},
        {[](PackRequest &r) { r.src_zero_type = Type::None; }, "zeros_size is 198, expected none"},
        {[](PackRequest &r) { r.act_order = true; }, "g_idx has 0 entries, expected one a row"},
        {[](PackRequest &r) { r.has_column_scales = true; }, "column_scales has 0 entries, expected one a column"},
    };
    for (const auto &field : fields) {
        Case c;
        field.spoil(c.request);
        CHECK(c.refused(field.text) == field.status);
    }
}

TEST_CASE("arrays of k and n entries are checked entry by entry", "[pack]") {
    Case c;
    std::vector<float> importance(70, 1.0f);
    c.request.importance = std::span(importance).first(69);
    CHECK(c.refused("importance has 69 entries, expected one a row: k = 70") == kInvalid);
    c.request.importance = importance;
    importance[12] = -0.5f;
    CHECK(c.refused("importance of row 12 is -0.5, expected a finite number >= 0") == kInvalid);
    importance[12] = 1.0f;

    std::vector<float> column_scales(66, 1.0f);
    c.request.column_scales = column_scales;
    CHECK(c.refused("column_scales has 66 entries, expected none") == kInvalid);
    c.request.has_column_scales = true;
    column_scales[65] = std::numeric_limits<float>::quiet_NaN();
    CHECK(c.refused("column_scales[65] is nan, expected a finite number") == kInvalid);
    c.request.column_scales = {};
    c.request.has_column_scales = false;

    std::vector<int32_t> g_idx(70, 0);
    c.request.g_idx = g_idx;
    CHECK(c.refused("g_idx has 70 entries, expected none") == kInvalid);
    c.request.act_order = true;
    for (const int32_t bad : {-1, 3}) {
        g_idx[69] = bad;
        CHECK(c.refused("g_idx[69] is") == kInvalid);
        CHECK(c.refused("expected 0 .. 2") == kInvalid);
    }
    c.request.g_idx = std::span(g_idx).first(69);
    CHECK(c.refused("g_idx has 69 entries, expected one a row: k = 70") == kInvalid);
}

TEST_CASE("scales, zeros, offsets and codes that cannot be stored are named with their place", "[pack]") {
    Case c(SourceForm{Source::Plain, Type::U4, Order::KxN, Type::F32, Type::U8, 0});
    for (const double bad : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        c.put_scale(2 * 66 + 65, bad);
        CHECK(c.refused("scale of group 2, column 65 is") == kInvalid);
    }
    c.put_scale(2 * 66 + 65, -70000.0);
    CHECK(c.refused("scale of group 2, column 65 is -70000, expected one that f16 can hold") == kInvalid);
    c.request.scale_type = Type::BF16; // which can
    PackedBuffer packed(packed_size(plan_pack(c.request)));
    SerialFor serial;
    pack_host(c.request, packed.bytes(), serial);
    c.arrays.zeros[66 + 3] = std::byte{17};
    CHECK(c.refused("zero point of group 1, column 3 is 17, expected 0 .. 16") == kInvalid);
    c.arrays.zeros[66 + 3] = std::byte{16};
    c.arrays.src[69 * 66 + 65] = std::byte{16};
    CHECK(c.refused("the code of row 69, column 65 is 16, expected 0 .. 15") == kInvalid);
    c.arrays.src[69 * 66 + 65] = std::byte{255};
    c.arrays.src[66 + 65] = std::byte{99}; // the lower row is named
    CHECK(c.refused("the code of row 1, column 65 is 99, expected 0 .. 15") == kInvalid);

    Case offsets(SourceForm{Source::Plain, Type::U4, Order::NxK, Type::F16, Type::F32, 0});
    offsets.arrays.zeros.resize(0);
    for (int i = 0; i < 66 * 3; ++i)
        append_number(offsets.arrays.zeros, i == 10 * 3 + 2 ? 1e6 : 0.5, Type::F32);
    offsets.request.zeros = offsets.arrays.zeros;
    offsets.request.zero_type = Type::F16;
    CHECK(offsets.refused("offset of group 2, column 10 is 1000000, expected one that f16 can hold") == kInvalid);
    offsets.request.zero_type = Type::U8;
    CHECK(offsets.refused("zero_type is u8, expected f16, bf16 or f32") == kInvalid);
    offsets.request.zero_type = Type::None;
    offsets.request.type = Type::S4;
    CHECK(offsets.refused("type is s4, expected u4: the source has float offsets") == kInvalid);
}

TEST_CASE("signed codes outside -8 .. 7 are named, whatever they are", "[pack]") {
    std::vector<int8_t> codes(8 * 5, 0);
    std::vector<uint16_t> scales(5, 0x3c00);
    PackRequest r;
    r.src_type = Type::S4;
    r.src_scale_type = Type::F16;
    r.k = 8;
    r.n = 5;
    r.group_size = 32;
    r.layout = Layout::Dense;
    r.src = std::as_bytes(std::span(codes));
    r.scales = std::as_bytes(std::span(scales));
    PackedBuffer packed(packed_size(plan_pack(r)));
    SerialFor serial;
    for (int value = -128; value < 128; ++value) {
        codes[3 * 5 + 4] = static_cast<int8_t>(value);
        std::string text;
        try {
            pack_host(r, packed.bytes(), serial);
        } catch (const Error &error) {
            text = error.text();
        }
        REQUIRE(text == (value >= -8 && value <= 7
                             ? std::string()
                             : fmt::format("src: the code of row 3, column 4 is {}, expected -8 .. 7", value)));
    }
}

TEST_CASE("packed memory must be aligned and large enough", "[pack]") {
    const Case c;
    const int64_t size = packed_size(plan_pack(c.request));
    PackedBuffer packed(size + 256);
    SerialFor serial;
    CHECK_THROWS_WITH(pack_host(c.request, packed.bytes().first(static_cast<size_t>(size - 1)), serial),
                      fmt::format("packed_size is {}, expected at least {}", size - 1, size));
    CHECK_THROWS_WITH(pack_host(c.request, packed.bytes().subspan(64), serial), Contains("aligned to 256 bytes"));
    CHECK(packed.untouched_from(0));
}

TEST_CASE("stored type s4 takes zeros that are all eight, and u4 takes none as eight", "[pack]") {
    Case c(SourceForm{Source::GptqV1, Type::None, Order::KxN, Type::F16, Type::None, 0});
    c.request.type = Type::S4;
    CHECK(c.refused("expected 8 for stored type s4") == kInvalid);
    std::fill(c.arrays.zeros.begin(), c.arrays.zeros.end(), std::byte{0x77});
    PackedBuffer symmetric(packed_size(plan_pack(c.request)));
    SerialFor serial;
    CHECK(pack_host(c.request, symmetric.bytes(), serial).shape().type == Type::S4);

    c.request.type = Type::U4;
    c.request.zeros = {};
    PackedBuffer zeros(packed_size(plan_pack(c.request)));
    const WeightsView view = pack_host(c.request, zeros.bytes(), serial);
    CHECK(view.shape().zero_type == Type::U8);
    CHECK(std::to_integer<int>(view.body[view.geometry.zero(1, 65)]) == 8);
}

TEST_CASE("sizes asked without data cover zeros that may come", "[pack]") {
    Case c(SourceForm{Source::CompressedTensors, Type::None, Order::KxN, Type::F16, Type::None, 0});
    PackRequest sizes = c.request;
    sizes.src = sizes.scales = sizes.zeros = {};
    const int64_t bound = packed_size(plan_pack(sizes));
    CHECK(packed_size(plan_pack(c.request)) == bound);
    c.request.zeros = {};
    CHECK(plan_pack(c.request).type == Type::S4);
    CHECK(packed_size(plan_pack(c.request)) <= bound);
}

} // namespace marlin::test
