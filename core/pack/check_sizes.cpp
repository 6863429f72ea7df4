// The sizes of the arrays of a pack request against what its fields say.
#include "common/arith.h"
#include "common/checked.h"
#include "common/error.h"
#include "formats/words.h"
#include "pack/plan.h"

namespace marlin {
namespace {

void expect_size(const char *name, size_t size, int64_t rows, int64_t columns, int64_t element, const char *shape) {
    const int64_t expected = checked_mul(checked_mul(rows, columns, name), element, name);
    if (static_cast<int64_t>(size) != expected)
        fail(Status::InvalidArgument, "{} is {} bytes, expected {}: {} x {} elements of {} bytes ({})", name, size,
             expected, rows, columns, element, shape);
}

void check_source(const PackRequest &r, const PackPlan &plan) {
    const int64_t words_of_k = div_up(r.k, kNibblesPerWord);
    const int64_t words_of_n = div_up(r.n, kNibblesPerWord);
    switch (r.source) {
    case Source::GptqV1:
    case Source::GptqV2:
        return expect_size("src_size", r.src.size(), words_of_k, r.n, 4, "[ceil(k / 8), n] words");
    case Source::Awq:
        return expect_size("src_size", r.src.size(), r.k, words_of_n, 4, "[k, ceil(n / 8)] words");
    case Source::CompressedTensors:
        return expect_size("src_size", r.src.size(), r.n, words_of_k, 4, "[n, ceil(k / 8)] words");
    case Source::Marlin:
        return expect_size("src_size", r.src.size(), r.k / 16, 2 * r.n, 4, "[k / 16, 2 n] words");
    default:
        break;
    }
    const bool k_by_n = r.src_order == Order::KxN;
    check_strided_size("src_size", static_cast<int64_t>(r.src.size()), k_by_n ? r.k : r.n, k_by_n ? r.n : r.k,
                       plan.ld_src, size_of(r.src_type));
}

// Scales, and zeros that are arranged as scales.
void expect_group_values(const char *name, size_t size, const PackRequest &r, const PackPlan &plan, Type type) {
    const bool n_first =
        r.source == Source::CompressedTensors || (r.source == Source::Plain && r.src_order == Order::NxK);
    expect_size(name, size, n_first ? r.n : plan.source_groups, n_first ? plan.source_groups : r.n, size_of(type),
                n_first ? "[n, groups]" : "[groups, n]");
}

void check_zeros(const PackRequest &r, const PackPlan &plan) {
    if (plan.zeros == SourceZeros::Rounded || plan.zeros == SourceZeros::Symmetric) {
        if (!r.zeros.empty())
            fail(Status::InvalidArgument, "zeros_size is {}, expected none: {}", r.zeros.size(),
                 plan.zeros == SourceZeros::Rounded ? "zero points of values are computed here"
                                                    : "src_zero_type is none");
        return;
    }
    const int64_t words_of_n = div_up(r.n, kNibblesPerWord);
    if (r.source == Source::Plain)
        expect_group_values("zeros_size", r.zeros.size(), r, plan, plan.src_zero_type);
    else if (r.source == Source::CompressedTensors)
        expect_size("zeros_size", r.zeros.size(), words_of_n, plan.source_groups, 4, "[ceil(n / 8), groups] words");
    else
        expect_size("zeros_size", r.zeros.size(), plan.source_groups, words_of_n, 4, "[groups, ceil(n / 8)] words");
}

} // namespace

void check_strided_size(const char *name, int64_t size, int64_t rows, int64_t columns, int64_t ld, int64_t element) {
    const int64_t whole = checked_mul(checked_mul(rows, ld, name), element, name);
    const int64_t least = whole - (ld - columns) * element;
    if (size < least || size > whole)
        fail(Status::InvalidArgument, "{} is {} bytes, expected {}: {} rows of {} elements of {} bytes, {} apart", name,
             size, least == whole ? fmt::format("{}", whole) : fmt::format("{} .. {}", least, whole), rows, columns,
             element, ld);
}

void check_sizes(const PackRequest &r, const PackPlan &plan) {
    if (r.src.empty())
        fail(Status::InvalidArgument, "src is NULL or empty, expected the weights");
    check_source(r, plan);
    if (plan.zeros != SourceZeros::Rounded)
        expect_group_values("scales_size", r.scales.size(), r, plan, r.src_scale_type);
    else if (!r.scales.empty())
        fail(Status::InvalidArgument, "scales_size is {}, expected none: scales of values are computed here",
             r.scales.size());
    check_zeros(r, plan);
    if (r.act_order != !r.g_idx.empty())
        fail(Status::InvalidArgument, "g_idx has {} entries, expected {}: act_order is {}", r.g_idx.size(),
             r.act_order ? "one a row" : "none", r.act_order);
    if (!r.importance.empty() && static_cast<int64_t>(r.importance.size()) != r.k)
        fail(Status::InvalidArgument, "importance has {} entries, expected one a row: k = {}", r.importance.size(),
             r.k);
    if (r.has_column_scales != !r.column_scales.empty() ||
        (r.has_column_scales && static_cast<int64_t>(r.column_scales.size()) != r.n))
        fail(Status::InvalidArgument, "column_scales has {} entries, expected {}", r.column_scales.size(),
             r.has_column_scales ? fmt::format("one a column: n = {}", r.n) : std::string("none"));
}

} // namespace marlin
