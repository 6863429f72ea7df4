// Formulas and list of the golden cases.
#include "golden/cases.h"

#include <cstring>

#include "common/error.h"
#include "common/half.h"
#include "layout/layout.h"

namespace marlin::test {
namespace {

// Every formula is written twice, as text and as code, next to each other.
constexpr const char *kCodeText = "(7 * k + 3 * n + k * n % 5) % 16";
int64_t code_at(int64_t k, int64_t n) {
    return (7 * k + 3 * n + k * n % 5) % 16;
}
// 2:4: other rows hold the code that means zero.
constexpr const char *kKeptText = "k % 4 == n % 4 or k % 4 == (n + 1 + k // 4 % 3) % 4";
bool kept_at(int64_t k, int64_t n) {
    return k % 4 == n % 4 || k % 4 == (n + 1 + k / 4 % 3) % 4;
}
constexpr const char *kScaleText = "((3 * g + n) % 7 + 1) / 64";
double scale_at(int64_t g, int64_t n) {
    return static_cast<double>((3 * g + n) % 7 + 1) / 64;
}
constexpr const char *kZeroText = "(5 * g + n) % 16";
int64_t zero_at(int64_t g, int64_t n) {
    return (5 * g + n) % 16;
}
constexpr const char *kOffsetText = "((g + 3 * n) % 9 - 4) / 8";
double offset_at(int64_t g, int64_t n) {
    return static_cast<double>((g + 3 * n) % 9 - 4) / 8;
}
constexpr const char *kValueText = "((37 * k + 11 * n + k * n) % 127 - 63) / 64";
double value_at(int64_t k, int64_t n) {
    return static_cast<double>((37 * k + 11 * n + k * n) % 127 - 63) / 64;
}
constexpr const char *kGroupText = "5 * k % groups";
constexpr const char *kImportanceText = "(k % 3 + 1) / 2";
constexpr const char *kColumnScaleText = "(n % 5 + 1) / 4";

template <typename T>
void append(std::vector<std::byte> &bytes, T value) {
    const size_t at = bytes.size();
    bytes.resize(at + sizeof value);
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

void append_as(std::vector<std::byte> &bytes, double value, Type type) {
    if (type == Type::U8)
        append(bytes, static_cast<uint8_t>(value));
    else if (type == Type::F32)
        append(bytes, static_cast<float>(value));
    else
        append(bytes, f32_to_half(static_cast<float>(value), type));
}

int64_t groups_of(const GoldenCase &c) {
    return c.group_size < 0 ? 1 : (c.k + c.group_size - 1) / c.group_size;
}

bool holds_values(const GoldenCase &c) {
    return is_float(c.src_type);
}

} // namespace

std::vector<GoldenCase> golden_cases() {
    std::vector<GoldenCase> cases;
    for (const Layout layout : {Layout::Dense, Layout::Sparse24Draft, Layout::CpuDraft, Layout::CpuSparse24Draft}) {
        const bool sparse = is_sparse24(layout);
        const Sparsity already = sparse ? Sparsity::Already24 : Sparsity::Dense;
        const Sparsity select = sparse ? Sparsity::Select24 : Sparsity::Dense;
        const std::string prefix(to_string(layout));
        cases.push_back({prefix + "_s4_f16_g32", layout, Type::U4, Type::S4, Type::None, Type::F16, already, 70, 66, 32,
                         false, false});
        cases.push_back({prefix + "_u4_u8_bf16_g64_act_order", layout, Type::U4, Type::U4, Type::U8, Type::BF16, select,
                         130, 5, 64, true, false});
        cases.push_back({prefix + "_u4_f16_f16_gcol", layout, Type::U4, Type::U4, Type::F16, Type::F16, select, 100, 7,
                         kGroupPerColumn, false, false});
        cases.push_back({prefix + "_rounded_s4_g128_column_scales", layout, Type::F16, Type::S4, Type::None, Type::F16,
                         select, 200, 3, 128, false, true});
    }
    return cases;
}

void make_input(const GoldenCase &c, GoldenInput &in) {
    in = {};
    const int64_t groups = groups_of(c);
    for (int64_t k = 0; k < c.k; ++k) {
        for (int64_t n = 0; n < c.n; ++n)
            if (holds_values(c)) {
                append_as(in.src, value_at(k, n), c.src_type);
            } else {
                const bool kept = c.sparsity != Sparsity::Already24 || kept_at(k, n);
                append(in.src, static_cast<uint8_t>(kept ? code_at(k, n) : 8));
            }
        if (holds_values(c))
            in.importance.push_back(static_cast<float>(k % 3 + 1) / 2);
        if (c.act_order)
            in.g_idx.push_back(static_cast<int32_t>(5 * k % groups));
    }
    for (int64_t g = 0; g < groups && !holds_values(c); ++g)
        for (int64_t n = 0; n < c.n; ++n) {
            append_as(in.scales, scale_at(g, n), c.scale_type);
            if (c.zero_type == Type::U8)
                append_as(in.zeros, static_cast<double>(zero_at(g, n)), Type::U8);
            else if (c.zero_type != Type::None)
                append_as(in.zeros, offset_at(g, n), c.zero_type);
        }
    for (int64_t n = 0; n < c.n && c.column_scales; ++n)
        in.column_scales.push_back(static_cast<float>(n % 5 + 1) / 4);

    PackRequest &r = in.request;
    r.src_type = c.src_type;
    r.src_scale_type = holds_values(c) ? Type::None : c.scale_type;
    r.src_zero_type = holds_values(c) ? Type::None : c.zero_type;
    r.type = c.type;
    r.zero_type = c.zero_type;
    r.scale_type = c.scale_type;
    r.layout = c.layout;
    r.scale_method = holds_values(c) ? ScaleMethod::LeastSquares : ScaleMethod::MinMax;
    r.sparsity = c.sparsity;
    r.act_order = c.act_order;
    r.has_column_scales = c.column_scales;
    r.k = c.k;
    r.n = c.n;
    r.group_size = c.group_size;
    r.src = in.src;
    r.scales = in.scales;
    r.zeros = in.zeros;
    r.g_idx = in.g_idx;
    r.importance = in.importance;
    r.column_scales = in.column_scales;
}

std::string manifest_entry(const GoldenCase &c, int64_t size, uint64_t body_checksum) {
    const auto text = [](const char *key, std::string_view value) {
        return fmt::format("      \"{}\": \"{}\",\n", key, value);
    };
    const auto number = [](const char *key, int64_t value) { return fmt::format("      \"{}\": {},\n", key, value); };
    constexpr const char *sparsities[] = {"dense", "already_24", "select_24"};
    std::string out = "    {\n";
    out += text("name", c.name) + text("file", c.name + ".bin") + number("size", size);
    out += text("body_checksum", fmt::format("{:016x}", body_checksum));
    out += text("layout", to_string(c.layout)) + number("layout_number", static_cast<int64_t>(c.layout));
    out += text("sparsity", sparsities[static_cast<int>(c.sparsity)]);
    out += text("type", to_string(c.type)) + text("scale_type", to_string(c.scale_type)) +
           text("zero_type", to_string(c.zero_type));
    out += number("k", c.k) + number("n", c.n) + number("group_size", c.group_size) + number("groups", groups_of(c));
    out += text("src_type", to_string(c.src_type)) + text("src_order", "k x n");
    if (holds_values(c)) {
        out += text("value", kValueText) + text("importance", kImportanceText) + text("scale_method", "least_squares");
    } else {
        out += text("code", kCodeText) + text("scale", kScaleText);
        if (c.sparsity == Sparsity::Already24)
            out += text("kept", kKeptText) + text("code_where_not_kept", "8");
        if (c.zero_type != Type::None)
            out += text("zero", c.zero_type == Type::U8 ? kZeroText : kOffsetText);
    }
    if (c.act_order)
        out += text("g_idx", kGroupText);
    if (c.column_scales)
        out += text("column_scale", kColumnScaleText);
    out.resize(out.size() - 2); // the last comma
    return out + "\n    }";
}

} // namespace marlin::test
