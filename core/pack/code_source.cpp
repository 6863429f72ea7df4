// Sources that hold codes: plain S4 and U4, and the words of checkpoint formats. Nothing is rounded but scales.
#include "common/error.h"
#include "pack/decode.h"
#include "pack/group_values.h"
#include "pack/limits.h"
#include "pack/tile_source.h"

namespace marlin {
namespace {

class CodeSource final : public TileSource {
public:
    explicit CodeSource(const PackJob &job)
        : job_(job), values_(job.request, job.plan.src_zero_type, job.plan.source_groups) {}

    void check(int64_t column, Tile &tile) const override {
        const Geometry &g = job_.geometry;
        tile.place(g, job_.order, column, 0, g.run_k);
        for (int64_t group = 0; group < job_.plan.source_groups; ++group)
            for (int64_t f = 0; f < tile.features; ++f) {
                check_scale(group, tile.first_feature + f);
                check_zero(group, tile.first_feature + f);
            }
        const bool codes_may_be_bad = job_.request.source == Source::Plain;
        const bool pattern_may_be_bad = job_.request.sparsity == Sparsity::Already24;
        if (!codes_may_be_bad && !pattern_may_be_bad)
            return;
        for (int64_t run = 0; run < g.runs; ++run) {
            tile.place(g, job_.order, column, run * g.run_k, g.run_k);
            decode(tile);
            if (codes_may_be_bad)
                check_codes(tile);
            if (pattern_may_be_bad) {
                read_params(run, tile);
                compute_values(tile);
                check_pattern(tile);
            }
        }
    }

    void fill(int64_t column, int64_t run, Tile &tile) const override {
        const Geometry &g = job_.geometry;
        tile.place(g, job_.order, column, run * g.run_k, g.run_k);
        decode(tile);
        read_params(run, tile);
        fill_padding(job_, run, tile);
        if (g.sparse()) {
            compute_values(tile);
            select_kept(job_, tile);
        }
    }

private:
    void decode(Tile &tile) const {
        decode_codes(job_.request, job_.plan.ld_src, {tile.source_row, tile.rows, tile.first_feature, tile.features},
                     tile.code);
    }

    void read_params(int64_t run, Tile &tile) const {
        for (int64_t g = 0; g < job_.groups_in_tile(); ++g) {
            const int64_t group = job_.order.source_group(job_.first_group(run) + g);
            for (int64_t f = 0; group >= 0 && f < tile.features; ++f) {
                tile.params[g].scale[f] = values_.scale(group, tile.first_feature + f);
                tile.params[g].zero[f] = values_.zero(group, tile.first_feature + f);
            }
        }
    }

    void compute_values(Tile &tile) const {
        const bool offset = job_.plan.zeros == SourceZeros::Offset;
        for (int64_t r = 0; r < tile.rows; ++r) {
            const ColumnParams &params = tile.params[r / job_.rows_of_group()];
            for (int64_t f = 0; f < kColumnFeatures; ++f) {
                const int64_t at = r * kColumnFeatures + f;
                const bool padding = tile.source_row[r] < 0 || f >= tile.features;
                tile.value[at] = padding ? 0.0f : source_value(tile.code[at], params.scale[f], params.zero[f], offset);
            }
        }
    }

    void check_codes(const Tile &tile) const {
        for (int64_t r = 0; r < tile.rows; ++r) {
            if (tile.source_row[r] < 0)
                continue;
            const uint8_t *const codes = tile.code + r * kColumnFeatures;
            unsigned all = 0;
            for (int64_t f = 0; f < tile.features; ++f)
                all |= codes[f];
            if (all <= 15)
                continue;
            int64_t f = 0;
            while (codes[f] <= 15)
                ++f;
            const int64_t n = tile.first_feature + f;
            fail(Status::InvalidArgument, "src: the code of row {}, column {} is {}, expected {}", tile.source_row[r],
                 n, code_in_source(job_.request, job_.plan.ld_src, tile.source_row[r], n),
                 job_.request.src_type == Type::S4 ? "-8 .. 7" : "0 .. 15");
        }
    }

    void check_scale(int64_t group, int64_t n) const {
        const Type type = job_.geometry.shape.scale_type;
        const float scale = values_.scale(group, n);
        if (is_storable(scale, type))
            return;
        if (!is_finite(scale))
            fail(Status::InvalidArgument, "scale of group {}, column {} is {}, expected a finite number", group, n,
                 scale);
        fail(Status::InvalidArgument, "scale of group {}, column {} is {}, expected one that {} can hold", group, n,
             scale, to_string(type));
    }

    void check_zero(int64_t group, int64_t n) const {
        const Type type = job_.geometry.shape.zero_type;
        const bool offset = job_.plan.zeros == SourceZeros::Offset;
        const float zero = values_.zero(group, n);
        if (is_storable_zero(zero, offset, type))
            return;
        if (!offset && zero > 16.0f)
            fail(Status::InvalidArgument, "zero point of group {}, column {} is {}, expected 0 .. 16", group, n, zero);
        if (!offset)
            fail(Status::InvalidArgument, "zero point of group {}, column {} is {}, expected 8 for stored type s4",
                 group, n, zero);
        if (!is_finite(zero))
            fail(Status::InvalidArgument, "offset of group {}, column {} is {}, expected a finite number", group, n,
                 zero);
        fail(Status::InvalidArgument, "offset of group {}, column {} is {}, expected one that {} can hold", group, n,
             zero, to_string(type));
    }

    const PackJob &job_;
    GroupValues values_;
};

} // namespace

std::unique_ptr<TileSource> make_code_source(const PackJob &job) {
    return std::make_unique<CodeSource>(job);
}

} // namespace marlin
