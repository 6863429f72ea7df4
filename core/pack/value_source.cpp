// Sources that hold values: 2:4 selection first, then scales over what is kept, then codes.
#include <cmath>

#include "common/error.h"
#include "pack/decode.h"
#include "pack/tile_source.h"

namespace marlin {
namespace {

class ValueSource final : public TileSource {
public:
    explicit ValueSource(const PackJob &job) : job_(job), types_{shape().scale_type, shape().zero_type} {}

    void check(int64_t column, Tile &tile) const override {
        const Geometry &g = job_.geometry;
        for (int64_t run = 0; run < g.runs; ++run) {
            load(column, run * g.run_k, g.run_k, tile);
            check_finite(tile);
            if (job_.request.sparsity == Sparsity::Already24)
                check_pattern(tile);
        }
        const auto scratch = std::make_unique<Tile>();
        for (int64_t run = 0; run < g.runs; ++run) {
            load(column, run * g.run_k, g.run_k, tile);
            for (int64_t i = 0; i < job_.groups_in_tile(); ++i)
                if (start_group(column, job_.first_group(run) + i, tile))
                    check_params(min_max_params(range_of(column, job_.first_group(run) + i, tile, *scratch), types_),
                                 tile);
        }
        tile.cached_group = -1; // parameters were not computed
    }

    void fill(int64_t column, int64_t run, Tile &tile) const override {
        const Geometry &g = job_.geometry;
        load(column, run * g.run_k, g.run_k, tile);
        for (int64_t i = 0; i < job_.groups_in_tile(); ++i) {
            const int64_t group = job_.first_group(run) + i;
            if (job_.order.source_group(group) < 0)
                continue;
            if (start_group(column, group, tile))
                tile.cached = params_of(column, group, tile);
            tile.params[i] = tile.cached;
            const int64_t first = i * job_.rows_of_group();
            round_rows(rows_of(tile, first, job_.rows_of_group()), tile.cached, job_.grid(),
                       tile.code + first * kColumnFeatures);
        }
        fill_padding(job_, run, tile);
    }

private:
    const PackedShape &shape() const { return job_.geometry.shape; }

    // Values (0 where padding is) and, for 2:4, which of them are kept.
    void load(int64_t column, int64_t begin, int64_t count, Tile &tile) const {
        tile.place(job_.geometry, job_.order, column, begin, count);
        if (tile.features < kColumnFeatures)
            std::fill_n(tile.value, count * kColumnFeatures, 0.0f);
        decode_values(job_.request, job_.plan.ld_src, {tile.source_row, count, tile.first_feature, tile.features},
                      tile.value);
        if (job_.geometry.sparse())
            select_kept(job_, tile);
    }

    ValueRows rows_of(const Tile &tile, int64_t first, int64_t count) const {
        const int64_t at = first * kColumnFeatures;
        const float *importance = job_.request.importance.empty() ? nullptr : job_.request.importance.data();
        return {tile.value + at, job_.geometry.sparse() ? tile.kept + at : nullptr, tile.source_row + first, importance,
                count};
    }

    // True when the packed group is not a continuation of the one before.
    bool start_group(int64_t column, int64_t packed_group, Tile &tile) const {
        const int64_t group = job_.order.source_group(packed_group);
        if (group < 0 || (tile.cached_column == column && tile.cached_group == group))
            return false;
        tile.cached_column = column;
        tile.cached_group = group;
        return true;
    }

    // visit(rows) for all rows of the packed group's source group: out of `tile` where it holds them all, else loaded
    // into `scratch` piece by piece, in order.
    template <typename Visit>
    void for_all_rows(int64_t column, int64_t packed_group, const Tile &tile, Tile &scratch, Visit visit) const {
        const RowSpan span = job_.order.span_of(packed_group);
        if (span.begin >= tile.first_row && span.end <= tile.first_row + tile.rows)
            return visit(rows_of(tile, span.begin - tile.first_row, span.end - span.begin));
        for (int64_t begin = span.begin; begin < span.end; begin += kTileRows) {
            const int64_t count = span.end - begin < kTileRows ? span.end - begin : kTileRows;
            load(column, begin, count, scratch);
            visit(rows_of(scratch, 0, count));
        }
    }

    ColumnRange range_of(int64_t column, int64_t packed_group, const Tile &tile, Tile &scratch) const {
        ColumnRange range;
        for_all_rows(column, packed_group, tile, scratch, [&](const ValueRows &rows) { add_to_range(rows, range); });
        return range;
    }

    ColumnParams params_of(int64_t column, int64_t packed_group, const Tile &tile) const {
        const auto scratch = std::make_unique<Tile>();
        const ColumnRange range = range_of(column, packed_group, tile, *scratch);
        if (job_.request.scale_method == ScaleMethod::MinMax)
            return min_max_params(range, types_);
        const auto errors = std::make_unique<CandidateErrors>(range, types_);
        for_all_rows(column, packed_group, tile, *scratch, [&](const ValueRows &rows) { errors->add(rows); });
        return errors->best();
    }

    void check_finite(const Tile &tile) const {
        for (int64_t r = 0; r < tile.rows; ++r) {
            const int32_t row = tile.source_row[r];
            for (int64_t f = 0; row >= 0 && f < tile.features; ++f)
                if (const float value = tile.value[r * kColumnFeatures + f]; !std::isfinite(value))
                    fail(Status::InvalidArgument, "src: the value of row {}, column {} is {}, expected a finite number",
                         row, tile.first_feature + f, value);
        }
    }

    void check_params(const ColumnParams &params, const Tile &tile) const {
        for (int64_t f = 0; f < tile.features; ++f) {
            const int64_t n = tile.first_feature + f;
            if (!std::isfinite(params.scale[f]))
                fail(Status::InvalidArgument,
                     "the values of group {}, column {} need a scale beyond {}, expected values it can scale",
                     tile.cached_group, n, to_string(shape().scale_type));
            if (!std::isfinite(params.zero[f]))
                fail(Status::InvalidArgument,
                     "the values of group {}, column {} need an offset beyond {}, expected values it can hold",
                     tile.cached_group, n, to_string(shape().zero_type));
        }
    }

    const PackJob &job_;
    RoundingTypes types_;
};

} // namespace

std::unique_ptr<TileSource> make_value_source(const PackJob &job) {
    return std::make_unique<ValueSource>(job);
}

} // namespace marlin
