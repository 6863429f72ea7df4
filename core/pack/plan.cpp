// Checking the fields of a pack request that need no data.
#include "pack/plan.h"

#include "common/checked.h"
#include "common/error.h"
#include "pack/pack.h"
#include "pack/row_order.h"

namespace marlin {
namespace {

template <typename Enum>
void expect_at_most(const char *name, Enum value, Enum last) {
    const auto number = static_cast<int32_t>(value);
    if (number < 0 || number > static_cast<int32_t>(last))
        fail(Status::InvalidArgument, "{} is {}, expected 0 .. {}", name, number, static_cast<int32_t>(last));
}

void expect_type(const char *name, Type value, bool good, const char *expectation) {
    if (!good)
        fail(Status::InvalidArgument, "{} is {}, expected {}", name, to_string(value), expectation);
}

void check_dimensions(const PackRequest &r) {
    if (r.k < 1 || r.k > kMaxDimension)
        fail(Status::InvalidArgument, "k is {}, expected 1 .. {}", r.k, kMaxDimension);
    if (r.n < 1 || r.n > kMaxDimension)
        fail(Status::InvalidArgument, "n is {}, expected 1 .. {}", r.n, kMaxDimension);
    if (!is_group_size(r.group_size))
        fail(Status::InvalidArgument, "group_size is {}, expected 32, 64, 128 or -1 (one scale a column)",
             r.group_size);
    if (!is_known(r.layout))
        fail(Status::InvalidArgument, "layout is {:#x}, expected 1 or a draft from 0x1001 to 0x1003",
             static_cast<int32_t>(r.layout));
}

void check_sparsity(const PackRequest &r) {
    expect_at_most("sparsity", r.sparsity, Sparsity::Select24);
    const bool sparse = r.sparsity != Sparsity::Dense;
    if (sparse != is_sparse24(r.layout))
        fail(Status::InvalidArgument, "sparsity is {}, expected {} for layout {}", static_cast<int32_t>(r.sparsity),
             sparse ? "0 (dense)" : "1 (already 2:4) or 2 (select)", to_string(r.layout));
    if (r.sparsity == Sparsity::Already24 && r.act_order)
        fail(Status::InvalidArgument, "sparsity is 1 (already 2:4) and g_idx is given, expected one of them: act-order "
                                      "reorders the rows that the pattern counts");
}

SourceZeros zeros_of_plain(const PackRequest &r) {
    const Type type = r.src_type;
    expect_type("src_type", type, is_float(type) || is_code4(type), "f16, bf16, f32, s4 or u4");
    if (is_float(type)) {
        expect_type("src_scale_type", r.src_scale_type, r.src_scale_type == Type::None,
                    "none: scales of values are computed here");
        expect_type("src_zero_type", r.src_zero_type, r.src_zero_type == Type::None,
                    "none: zero points of values are computed here");
        return SourceZeros::Rounded;
    }
    if (type == Type::S4)
        expect_type("src_zero_type", r.src_zero_type, r.src_zero_type == Type::None, "none for codes of type s4");
    if (r.src_zero_type == Type::None)
        return SourceZeros::Symmetric;
    expect_type("src_zero_type", r.src_zero_type, r.src_zero_type == Type::U8 || is_float(r.src_zero_type),
                "none, u8, f16, bf16 or f32");
    return r.src_zero_type == Type::U8 ? SourceZeros::Integer : SourceZeros::Offset;
}

SourceZeros zeros_of_words(const PackRequest &r) {
    if (r.ld_src != 0)
        fail(Status::InvalidArgument, "ld_src is {}, expected 0: packed words have no stride", r.ld_src);
    expect_type("src_zero_type", r.src_zero_type, r.src_zero_type == Type::None || r.src_zero_type == Type::U8,
                "none or u8 for packed words");
    if (r.source == Source::Marlin) {
        expect_type("src_zero_type", r.src_zero_type, r.src_zero_type == Type::None, "none for legacy Marlin words");
        if (r.k % 16 != 0 || r.n % 64 != 0)
            fail(Status::InvalidArgument, "k, n are {}, {}, expected multiples of 16 and 64 for legacy Marlin words",
                 r.k, r.n);
        return SourceZeros::Symmetric;
    }
    if (r.source == Source::Awq) {
        if (r.n % 8 != 0)
            fail(Status::InvalidArgument, "n is {}, expected a multiple of 8 for AWQ words", r.n);
        return SourceZeros::Integer;
    }
    if (r.src_zero_type == Type::U8)
        return SourceZeros::Integer;
    if (r.src.empty())
        return SourceZeros::Undecided;
    return r.zeros.empty() ? SourceZeros::Symmetric : SourceZeros::Integer;
}

// The stored type: what is asked for, else what the source holds.
Type stored_type(const PackRequest &r, SourceZeros zeros) {
    if (r.type == Type::None) {
        const bool symmetric = zeros == SourceZeros::Symmetric || zeros == SourceZeros::Rounded;
        return symmetric && r.zero_type == Type::None ? Type::S4 : Type::U4;
    }
    expect_type("type", r.type, is_code4(r.type), "none, s4 or u4");
    if (r.type == Type::S4) {
        expect_type("type", r.type, zeros != SourceZeros::Offset, "u4: the source has float offsets");
        expect_type("zero_type", r.zero_type, r.zero_type == Type::None, "none for stored type s4");
    }
    return r.type;
}

Type stored_zero_type(const PackRequest &r, Type type, SourceZeros zeros) {
    if (type == Type::S4)
        return Type::None;
    if (r.zero_type == Type::None)
        return zeros == SourceZeros::Offset ? r.src_zero_type : Type::U8;
    const bool floats = is_float(r.zero_type);
    expect_type("zero_type", r.zero_type, floats || r.zero_type == Type::U8, "none, u8, f16, bf16 or f32");
    if (zeros == SourceZeros::Offset)
        expect_type("zero_type", r.zero_type, floats, "f16, bf16 or f32: the source has float offsets");
    else if (zeros != SourceZeros::Rounded)
        expect_type("zero_type", r.zero_type, !floats, "none or u8: the source has integer zero points");
    return r.zero_type;
}

int64_t checked_ld(const PackRequest &r) {
    if (r.source != Source::Plain)
        return 0;
    const bool k_by_n = r.src_order == Order::KxN;
    const int64_t tight = k_by_n ? r.n : r.k;
    if (r.ld_src == 0)
        return tight;
    if (r.ld_src < tight)
        fail(Status::InvalidArgument, "ld_src is {}, expected 0 or >= {} = {}", r.ld_src, k_by_n ? "n" : "k", tight);
    checked_mul(checked_mul(r.ld_src, k_by_n ? r.k : r.n, "ld_src"), 4, "src_size");
    return r.ld_src;
}

} // namespace

PackPlan make_plan(const PackRequest &r) {
    expect_at_most("source", r.source, Source::Marlin24);
    if (r.source == Source::Marlin24)
        fail(Status::NotSupported, "source is 6 (legacy marlin-24), planned for a later version, expected 0 .. 5");
    check_dimensions(r);
    check_sparsity(r);
    expect_at_most("src_order", r.src_order, Order::NxK);
    expect_at_most("scale_method", r.scale_method, ScaleMethod::LeastSquares);

    PackPlan plan;
    plan.zeros = r.source == Source::Plain ? zeros_of_plain(r) : zeros_of_words(r);
    const bool rounded = plan.zeros == SourceZeros::Rounded;
    if (!rounded)
        expect_type("src_scale_type", r.src_scale_type, is_float(r.src_scale_type), "f16, bf16 or f32");
    if (!rounded && r.scale_method != ScaleMethod::MinMax)
        fail(Status::InvalidArgument, "scale_method is {}, expected 0: the source holds codes, nothing is rounded",
             static_cast<int32_t>(r.scale_method));
    plan.src_zero_type = plan.zeros == SourceZeros::Integer ? Type::U8 : r.src_zero_type;
    plan.ld_src = checked_ld(r);
    plan.source_groups = source_group_count(r.k, r.group_size);

    PackedShape &shape = plan.shape;
    shape.layout = r.layout;
    shape.type = stored_type(r, plan.zeros);
    shape.zero_type = stored_zero_type(r, shape.type, plan.zeros);
    shape.scale_type = r.scale_type == Type::None ? Type::F16 : r.scale_type;
    expect_type("scale_type", shape.scale_type, is_half(shape.scale_type), "none, f16 or bf16");
    shape.n = r.n;
    shape.group_size = r.group_size;
    shape.has_perm = r.act_order && r.group_size != kGroupPerColumn;
    shape.has_column_scales = r.has_column_scales;
    shape.k_packed =
        shape.has_perm ? max_packed_rows(r.layout, r.k, r.group_size) : round_up(r.k, run_rows(r.layout, r.group_size));
    return plan;
}

PackedShape plan_pack(const PackRequest &request) {
    return make_plan(request).shape;
}

int64_t packed_size(const PackedShape &shape) {
    return checked_add(kHeaderSize, make_geometry(shape).body_size, "packed_size");
}

} // namespace marlin
