// Property: whatever the source, layout, group, zeros, order and shape, unpacking gives the weights that went in.
#include <cstring>

#include "layout/element.h"
#include "support/catch.h"
#include "unit/pack/buffer.h"
#include "unit/pack/weights.h"

namespace marlin::test {
namespace {

std::vector<std::byte> unpacked(const WeightsView &view, Type type, Order order, int64_t ld) {
    const int64_t rows = order == Order::KxN ? view.k : view.n;
    std::vector<std::byte> out(static_cast<size_t>(rows * ld * size_of(type)), std::byte{0x5a});
    UnpackRequest request;
    request.dst_type = type;
    request.dst_order = order;
    request.ld_dst = ld;
    request.dst = out;
    SerialFor serial;
    unpack_host(view, request, serial);
    return out;
}

// Values that unpack gives and, read one by one through the layout's functions, what the packed bytes mean.
void expect_values(const Weights &w, const WeightsView &view, Order order, int64_t padding) {
    const int64_t tight = order == Order::KxN ? w.n : w.k;
    const int64_t ld = tight + padding;
    const std::vector<std::byte> values = unpacked(view, Type::F32, order, ld);
    int64_t different = 0;
    for (int64_t i = 0; i < w.k; ++i)
        for (int64_t j = 0; j < w.n; ++j)
            different +=
                number_at(values.data(), order == Order::KxN ? i * ld + j : j * ld + i, Type::F32) != w.value(i, j);
    for (int64_t row = 0; row < (order == Order::KxN ? w.k : w.n); ++row)
        for (int64_t at = (row * ld + tight) * 4; at < (row + 1) * ld * 4; ++at)
            different += values[at] != std::byte{0x5a};
    REQUIRE(different == 0);

    std::vector<bool> found(static_cast<size_t>(w.k), false);
    for (int64_t p = 0; p < view.shape().k_packed; ++p) {
        const int64_t i = view.perm != nullptr ? view.perm[p] : p < w.k ? p : -1;
        if (i < 0)
            continue;
        found[i] = true;
        for (int64_t j = 0; j < w.n; ++j) {
            const Element element = read_element(view, p, j);
            const int64_t group = view.geometry.group_of(p);
            const ZeroAndOffset zero = read_zero(view, group, j);
            const double read =
                element.pruned ? 0.0 : (double(element.code) - zero.zero) * read_scale(view, group, j) + zero.offset;
            different += read != w.value(i, j);
            if (!element.pruned)
                different += static_cast<int>(element.code) != w.code[i * w.n + j];
        }
    }
    REQUIRE(different == 0);
    REQUIRE(found == std::vector<bool>(static_cast<size_t>(w.k), true));
}

void expect_codes(const Weights &w, const WeightsView &view) {
    const Type type = view.shape().type;
    const std::vector<std::byte> codes = unpacked(view, type, Order::NxK, w.k);
    int64_t different = 0;
    for (int64_t i = 0; i < w.k; ++i)
        for (int64_t j = 0; j < w.n; ++j) {
            const int code = type == Type::S4 ? static_cast<int8_t>(codes[j * w.k + i]) + 8
                                              : std::to_integer<int>(codes[j * w.k + i]);
            different += code != w.code[i * w.n + j];
        }
    REQUIRE(different == 0);
}

void expect_group_values(const Weights &w, const WeightsView &view) {
    const PackedShape &shape = view.shape();
    const int64_t groups = view.geometry.groups();
    std::vector<std::byte> scales(static_cast<size_t>(groups * w.n * size_of(shape.scale_type)));
    std::vector<std::byte> zeros(static_cast<size_t>(groups * w.n * size_of(shape.zero_type)));
    UnpackRequest request;
    request.scales = scales;
    request.zeros = zeros;
    SerialFor serial;
    unpack_host(view, request, serial);
    int64_t different = 0;
    for (int64_t g = 0; g < groups; ++g) {
        const int32_t row = view.perm != nullptr ? view.perm[g * shape.group_size] : 0; // a group starts with a row
        const int64_t source = view.perm == nullptr ? (g < w.groups ? g : -1) : row < 0 ? -1 : w.group[row];
        for (int64_t j = 0; j < w.n; ++j) {
            const double scale = number_at(scales.data(), g * w.n + j, shape.scale_type);
            different += scale != (source < 0 ? 0.0 : double(w.scale[source * w.n + j]));
            if (shape.zero_type != Type::None)
                different += number_at(zeros.data(), g * w.n + j, shape.zero_type) !=
                             (source < 0 ? 0.0 : double(w.zero[source * w.n + j]));
        }
    }
    REQUIRE(different == 0);
}

struct Shape {
    int64_t k;
    int64_t n;
};

void expect_round_trip(const Weights &w, const SourceForm &form, Layout layout, Type scale_type, std::mt19937 &rng) {
    SourceArrays arrays;
    PackRequest request = encode(w, form, arrays);
    request.layout = layout;
    request.scale_type = scale_type;
    if (is_sparse24(layout))
        request.sparsity = request.act_order ? Sparsity::Select24 : Sparsity::Already24;
    CAPTURE(static_cast<int>(form.source), to_string(form.src_type), static_cast<int>(form.order), w.k, w.n,
            w.group_size, to_string(layout), static_cast<int>(w.zeros), request.act_order);

    PackedBuffer packed(packed_size(plan_pack(request)));
    SerialFor serial;
    const WeightsView view = pack_host(request, packed.bytes(), serial);
    REQUIRE(packed.untouched_from(kHeaderSize + view.geometry.body_size));
    REQUIRE(view.shape().type == (w.zeros == Zeros::None ? Type::S4 : Type::U4));
    REQUIRE(view.shape().k_packed <= plan_pack(request).k_packed);
    const WeightsView attached = attach_host(packed.bytes());
    expect_values(w, attached, rng() % 2 == 0 ? Order::KxN : Order::NxK, static_cast<int64_t>(rng() % 3));
    expect_group_values(w, attached);
    if (!is_sparse24(layout))
        expect_codes(w, attached);

    PackedBuffer again(packed_size(plan_pack(request)), 0x11);
    ThreadedFor threads(3);
    pack_host(request, again.bytes(), threads);
    REQUIRE(std::memcmp(packed.bytes().data(), again.bytes().data(),
                        static_cast<size_t>(kHeaderSize + view.geometry.body_size)) == 0);
}

const Layout kLayouts[] = {Layout::Dense, Layout::Sparse24Draft, Layout::CpuDraft, Layout::CpuSparse24Draft};

} // namespace

TEST_CASE("packing and unpacking gives back the weights of every source", "[pack]") {
    std::mt19937 rng(24);
    const SourceForm forms[] = {
        {Source::Plain, Type::S4, Order::KxN, Type::F16, Type::U8, 3},
        {Source::Plain, Type::S4, Order::NxK, Type::BF16, Type::U8, 0},
        {Source::Plain, Type::U4, Order::KxN, Type::F32, Type::U8, 0},
        {Source::Plain, Type::U4, Order::NxK, Type::F16, Type::U8, 5},
        {Source::Plain, Type::U4, Order::KxN, Type::F16, Type::F16, 1},
        {Source::Plain, Type::U4, Order::NxK, Type::BF16, Type::BF16, 0},
        {Source::Plain, Type::U4, Order::NxK, Type::F16, Type::F32, 0},
        {Source::GptqV1, Type::None, Order::KxN, Type::F16, Type::None, 0},
        {Source::GptqV2, Type::None, Order::KxN, Type::BF16, Type::None, 0},
        {Source::Awq, Type::None, Order::KxN, Type::F16, Type::None, 0},
        {Source::CompressedTensors, Type::None, Order::KxN, Type::BF16, Type::None, 0},
        {Source::Marlin, Type::None, Order::KxN, Type::F16, Type::None, 0},
    };
    const Shape shapes[] = {{1, 1}, {3, 65}, {64, 64}, {129, 7}, {200, 72}, {256, 128}, {333, 66}};
    for (const SourceForm &form : forms)
        for (const Layout layout : kLayouts)
            for (const int64_t group_size : {int64_t{32}, int64_t{64}, int64_t{128}, kGroupPerColumn})
                for (const Shape &shape : shapes)
                    for (const Zeros zeros : {Zeros::None, Zeros::Integer, Zeros::Offset})
                        for (const bool act_order : {false, true}) {
                            const bool plain = form.source == Source::Plain;
                            const bool offset = zeros == Zeros::Offset;
                            if (form.source == Source::Marlin &&
                                (shape.k % 16 != 0 || shape.n % 64 != 0 || zeros != Zeros::None || act_order))
                                continue;
                            if (form.src_type == Type::S4 && zeros != Zeros::None)
                                continue;
                            if (zeros != Zeros::None && offset != (plain && is_float(form.zero_type)))
                                continue;
                            if (form.source == Source::Awq && (shape.n % 8 != 0 || zeros == Zeros::None))
                                continue;
                            if (act_order && (group_size == kGroupPerColumn || is_sparse24(layout)))
                                continue;
                            WeightsOptions options;
                            options.k = shape.k;
                            options.n = shape.n;
                            options.group_size = group_size;
                            options.zeros = zeros;
                            options.act_order = act_order;
                            options.pattern24 = is_sparse24(layout);
                            options.max_zero = is_sparse24(layout)                      ? 15
                                               : plain || form.source == Source::GptqV1 ? 16
                                                                                        : 15;
                            Weights w = random_weights(options, rng);
                            if (form.source == Source::GptqV1)
                                for (float &zero : w.zero)
                                    zero = zero < 1 ? 1 : zero; // what the format can hold
                            if (form.source == Source::GptqV1 && options.pattern24 && !w.zero.empty())
                                continue; // zeros moved: covered by version 2
                            expect_round_trip(w, form, layout, rng() % 2 == 0 ? Type::None : Type::BF16, rng);
                        }
}

} // namespace marlin::test
