// Sizes and offsets at the largest dimensions, against 128-bit arithmetic.
#include "common/checked.h"
#include "layout/geometry.h"
#include "support/catch.h"
#include "support/errors.h"

using namespace marlin;

namespace {

using Wide = __int128;

constexpr Layout kLayouts[] = {Layout::Dense, Layout::Sparse24Draft, Layout::CpuDraft, Layout::CpuSparse24Draft};
constexpr int64_t kGroups[] = {32, 64, 128, kGroupPerColumn};
constexpr Type kZeroTypes[] = {Type::None, Type::U8, Type::F16, Type::F32};

Wide up(Wide value, Wide step) {
    return (value + step - 1) / step * step;
}

// The bytes of a body, counted from what a weight costs.
Wide body_size_of(const PackedShape &s) {
    const Wide rows = s.k_packed;
    const Wide features = up(s.n, 64);
    Wide bits = rows * features * (is_sparse24(s.layout) ? 2 + 1 : 4); // half of the codes and two bits each
    const Wide each = size_of(s.scale_type) + size_of(s.zero_type);
    Wide size = 0;
    if (s.group_size == kGroupPerColumn)
        size = up(bits / 8, 256) + up(features * size_of(s.scale_type), 256) + up(features * size_of(s.zero_type), 256);
    else
        size = up(bits / 8 + rows / s.group_size * features * each, 256);
    size += s.has_perm ? up(rows * 4, 256) : 0;
    return size + (s.has_column_scales ? up(Wide{s.n} * 4, 256) : 0);
}

} // namespace

TEST_CASE("the largest shapes of every layout fit 63 bits, offsets included") {
    for (const Layout layout : kLayouts)
        for (const int64_t group_size : kGroups)
            for (const Type zero_type : kZeroTypes)
                for (const bool everything : {false, true}) {
                    CAPTURE(to_string(layout), group_size, to_string(zero_type), everything);
                    PackedShape shape;
                    shape.layout = layout;
                    shape.zero_type = zero_type;
                    shape.group_size = group_size;
                    shape.n = kMaxDimension;
                    const int64_t run = run_rows(layout, group_size);
                    shape.k_packed = everything ? kMaxPackedRows / run * run : round_up(kMaxDimension, run);
                    shape.has_perm = everything;
                    shape.has_column_scales = everything;
                    const Geometry g = make_geometry(shape);
                    CHECK((Wide{g.body_size} == body_size_of(shape)));
                    const int64_t k = shape.k_packed - 1;
                    const int64_t n = shape.n - 1;
                    const int64_t code = g.sparse() ? g.kept_code(k / 4, 1, n).byte : g.code(k, n).byte;
                    CHECK((code >= 0 && code < g.body_size));
                    CHECK((Wide{code} >= Wide{g.columns - 1} * g.runs * g.run_size));
                    CHECK((g.scale(g.groups() - 1, n) > 0 && g.scale(g.groups() - 1, n) < g.body_size));
                    CHECK((g.zero(g.groups() - 1, n) > 0 && g.zero(g.groups() - 1, n) <= g.body_size));
                    CHECK((g.perm_offset >= 0 && g.perm_offset <= g.body_size));
                    CHECK((g.column_scales_offset >= g.perm_offset && g.column_scales_offset <= g.body_size));
                }
}

TEST_CASE("small shapes cost what the formula says") {
    for (const Layout layout : kLayouts)
        for (const int64_t group_size : kGroups)
            for (const int64_t n : {1, 63, 64, 65, 200}) {
                CAPTURE(to_string(layout), group_size, n);
                PackedShape shape;
                shape.layout = layout;
                shape.zero_type = Type::U8;
                shape.type = Type::U4;
                shape.group_size = group_size;
                shape.n = n;
                shape.k_packed = 5 * run_rows(layout, group_size);
                shape.has_perm = n % 2 == 0;
                CHECK((Wide{make_geometry(shape).body_size} == body_size_of(shape)));
            }
}

TEST_CASE("runs hold whole groups and whole blocks") {
    for (const Layout layout : kLayouts)
        for (const int64_t group_size : kGroups) {
            const int64_t run = run_rows(layout, group_size);
            CHECK(run % (is_sparse24(layout) ? 128 : 64) == 0);
            if (group_size > 0)
                CHECK(run % group_size == 0);
            CHECK(run <= 128);
        }
    CHECK(run_rows(Layout::Dense, 32) == 64);
    CHECK(run_rows(Layout::Dense, 128) == 128);
    CHECK(run_rows(Layout::Dense, kGroupPerColumn) == 64);
    CHECK(run_rows(Layout::CpuSparse24Draft, kGroupPerColumn) == 128);
}

TEST_CASE("checked arithmetic gives the product or names the overflow") {
    CHECK(checked_mul(kMaxDimension, kMaxDimension, "x") == kMaxDimension * kMaxDimension);
    CHECK(checked_mul(-3, 5, "x") == -15);
    CHECK(checked_add(INT64_MAX - 1, 1, "x") == INT64_MAX);
    CHECK(checked_add(-1, 1, "x") == 0);
    const Error product = test::error_of([] { checked_mul(INT64_MAX, 2, "the size of a"); });
    CHECK(product.status() == Status::InvalidArgument);
    CHECK(product.text() == "the size of a overflows: 9223372036854775807 * 2 does not fit 63 bits");
    const Error sum = test::error_of([] { checked_add(INT64_MAX, 1, "packed_size"); });
    CHECK(sum.status() == Status::InvalidArgument);
    CHECK(sum.text() == "packed_size overflows: 9223372036854775807 + 1 does not fit 63 bits");
    CHECK_THROWS_AS(checked_mul(INT64_MIN, -1, "x"), Error);
    CHECK_THROWS_AS(checked_add(INT64_MIN, -1, "x"), Error);
}

TEST_CASE("rounding up divides without losing a remainder") {
    CHECK(div_up(0, 8) == 0);
    CHECK(div_up(1, 8) == 1);
    CHECK(div_up(8, 8) == 1);
    CHECK(div_up(9, 8) == 2);
    CHECK(round_up(0, 64) == 0);
    CHECK(round_up(1, 64) == 64);
    CHECK(round_up(128, 64) == 128);
    CHECK(round_up(kMaxDimension, 64) == int64_t{1} << 31);
}

TEST_CASE("group sizes are the four documented ones") {
    for (const int64_t size : {32, 64, 128, -1})
        CHECK(is_group_size(size));
    for (const int64_t size : {0, 1, -2, 16, 33, 96, 256})
        CHECK_FALSE(is_group_size(size));
}
