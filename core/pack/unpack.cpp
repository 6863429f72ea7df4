// Unpacking in host memory: values or codes in the row order of the source, scales and zeros as stored.
#include <cstring>
#include <memory>

#include "layout/element.h"
#include "pack/pack.h"
#include "pack/parallel_columns.h"
#include "pack/run_table.h"
#include "pack/unpack_plan.h"
#include "quantize/rounding.h"

namespace marlin {
namespace {

constexpr int64_t kRunElements = 128 * kColumnFeatures;
constexpr uint8_t kPruned = 16;

// The codes of a run, kPruned where 2:4 left one out.
struct RunCodes {
    uint8_t stored[kRunElements];
    uint8_t position[kRunElements / 2];
    uint8_t code[kRunElements];
};

void read_run(const WeightsView &w, const RunTable &table, int64_t column, int64_t run, RunCodes &codes) {
    const Geometry &g = w.geometry;
    const std::byte *const at = w.body + g.run_offset(column, run);
    if (!g.sparse())
        return table.read_codes(at, codes.code);
    table.read_codes(at, codes.stored);
    table.read_metadata(at + g.codes_size + g.scales_size + g.zeros_size, codes.position);
    std::memset(codes.code, kPruned, sizeof codes.code);
    for (int64_t row = 0; row < g.run_k / 2; ++row)
        for (int64_t f = 0; f < kColumnFeatures; ++f) {
            const int64_t i = row * kColumnFeatures + f;
            codes.code[(row / 2 * 4 + codes.position[i]) * kColumnFeatures + f] = codes.stored[i];
        }
}

// One row: 64 codes at most become elements that are `stride` apart.
template <typename T, typename Convert>
void write_row(const uint8_t *codes, int64_t features, std::byte *at, int64_t stride, Convert convert) {
    for (int64_t f = 0; f < features; ++f) {
        const T element = convert(codes[f], f);
        std::memcpy(at + f * stride * static_cast<int64_t>(sizeof element), &element, sizeof element);
    }
}

// What the codes of 64 features of one group stand for.
struct GroupOfColumn {
    CodeGrid grid[kColumnFeatures];
    uint8_t pruned_code[kColumnFeatures];

    void read(const WeightsView &w, int64_t group, int64_t first_n, int64_t features) {
        for (int64_t f = 0; f < features; ++f) {
            const ZeroAndOffset zero = read_zero(w, group, first_n + f);
            grid[f] = {read_scale(w, group, first_n + f), 1.0f, zero.zero, zero.offset};
            pruned_code[f] = padding_code(zero.zero, grid_of(w.shape().zero_type));
        }
    }
    float value(uint8_t code, int64_t f) const { return code == kPruned ? 0.0f : value_of(code, grid[f]); }
    uint8_t code(uint8_t code, int64_t f) const { return code == kPruned ? pruned_code[f] : code; }
};

// Rows of one run; source_row(i) is negative for padding.
template <typename SourceRow>
void write_run(const WeightsView &w, const RunCodes &codes, int64_t column, int64_t run, const Destination &dst,
               SourceRow source_row) {
    const Geometry &g = w.geometry;
    const int64_t first_n = column * kColumnFeatures;
    const int64_t features = w.n - first_n < kColumnFeatures ? w.n - first_n : kColumnFeatures;
    GroupOfColumn group;
    int64_t group_read = -1;
    for (int64_t r = 0; r < g.run_k; ++r) {
        const int64_t packed_row = run * g.run_k + r;
        const int64_t k = source_row(packed_row);
        if (k < 0)
            continue;
        if (g.group_of(packed_row) != group_read) {
            group_read = g.group_of(packed_row);
            group.read(w, group_read, first_n, features);
        }
        const uint8_t *const row = codes.code + r * kColumnFeatures;
        std::byte *const at = dst.at(k, first_n);
        switch (dst.type) {
        case Type::F32:
            write_row<float>(row, features, at, dst.stride(), [&](uint8_t c, int64_t f) { return group.value(c, f); });
            break;
        case Type::F16:
            write_row<uint16_t>(row, features, at, dst.stride(),
                                [&](uint8_t c, int64_t f) { return f32_to_f16(group.value(c, f)); });
            break;
        case Type::BF16:
            write_row<uint16_t>(row, features, at, dst.stride(),
                                [&](uint8_t c, int64_t f) { return f32_to_bf16(group.value(c, f)); });
            break;
        default: {
            const int bias = dst.type == Type::S4 ? 8 : 0;
            write_row<uint8_t>(row, features, at, dst.stride(),
                               [&](uint8_t c, int64_t f) { return static_cast<uint8_t>(group.code(c, f) - bias); });
        }
        }
    }
}

void check_pruned_codes(const WeightsView &w) {
    for (int64_t group = 0; group < w.geometry.groups(); ++group)
        for (int64_t n = 0; n < w.n; ++n)
            if (const float zero = read_zero(w, group, n).zero; !has_pruned_code(zero))
                refuse_pruned_code(group, n, zero);
}

void copy_group_values(const WeightsView &w, const UnpackRequest &r) {
    const Geometry &g = w.geometry;
    for (int64_t group = 0; group < w.geometry.groups(); ++group)
        for (int64_t n = 0; n < w.n; ++n) {
            const int64_t i = group * w.n + n;
            const int64_t scale_size = size_of(w.shape().scale_type);
            const int64_t zero_size = size_of(w.shape().zero_type);
            if (!r.scales.empty())
                std::memcpy(r.scales.data() + i * scale_size, w.body + g.scale(group, n),
                            static_cast<size_t>(scale_size));
            if (!r.zeros.empty())
                std::memcpy(r.zeros.data() + i * zero_size, w.body + g.zero(group, n), static_cast<size_t>(zero_size));
        }
}

} // namespace

void unpack_host(const WeightsView &w, const UnpackRequest &r, ParallelFor &parallel) {
    const Destination dst = check_unpack(w, r);
    if (needs_pruned_codes(w, r))
        check_pruned_codes(w);
    if (!r.scales.empty() || !r.zeros.empty())
        copy_group_values(w, r);
    if (r.dst.empty())
        return;
    const auto source_row = [&w](int64_t packed_row) -> int64_t {
        if (w.perm != nullptr)
            return w.perm[packed_row];
        return packed_row < w.k ? packed_row : -1;
    };
    const RunTable table(w.geometry);
    parallel_columns(
        parallel, w.geometry.columns, [] { return std::make_unique<RunCodes>(); },
        [&](std::unique_ptr<RunCodes> &codes, int64_t column) {
            for (int64_t run = 0; run < w.geometry.runs; ++run) {
                read_run(w, table, column, run, *codes);
                write_run(w, *codes, column, run, dst, source_row);
            }
        });
}

} // namespace marlin
