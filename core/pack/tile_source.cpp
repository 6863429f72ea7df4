// What both kinds of source share: padding and 2:4 selection.
#include "pack/tile_source.h"

#include <algorithm>
#include <cmath>

#include "common/error.h"
#include "quantize/select24.h"

namespace marlin {

std::unique_ptr<TileSource> make_source(const PackJob &job) {
    return job.plan.zeros == SourceZeros::Rounded ? make_value_source(job) : make_code_source(job);
}

void fill_padding(const PackJob &job, int64_t run, Tile &tile) {
    const Grid grid = job.grid();
    const float no_zero = grid == Grid::Symmetric ? 8.0f : 0.0f;
    const int64_t group_rows = job.rows_of_group();
    for (int64_t g = 0; g < job.groups_in_tile(); ++g) {
        ColumnParams &params = tile.params[g];
        const bool padding_group = job.order.source_group(job.first_group(run) + g) < 0;
        for (int64_t f = padding_group ? 0 : tile.features; f < kColumnFeatures; ++f) {
            params.scale[f] = 0.0f;
            params.zero[f] = no_zero;
        }
        for (int64_t r = g * group_rows; r < (g + 1) * group_rows; ++r) {
            uint8_t *const codes = tile.code + r * kColumnFeatures;
            for (int64_t f = tile.source_row[r] < 0 ? 0 : tile.features; f < kColumnFeatures; ++f)
                codes[f] = padding_code(params.zero[f], grid);
        }
    }
}

void select_kept(const PackJob &job, Tile &tile) {
    const bool already = job.request.sparsity == Sparsity::Already24;
    const auto &importance = job.request.importance;
    for (int64_t quad = 0; quad < tile.rows / 4; ++quad) {
        float magnitude[4][kColumnFeatures];
        for (int64_t p = 0; p < 4; ++p) {
            const int64_t r = 4 * quad + p;
            const float *const w = tile.value + r * kColumnFeatures;
            const int32_t row = tile.source_row[r];
            if (row < 0)
                std::fill_n(magnitude[p], kColumnFeatures, 0.0f);
            else if (already)
                for (int64_t f = 0; f < kColumnFeatures; ++f)
                    magnitude[p][f] = w[f] != 0.0f ? 1.0f : 0.0f;
            else {
                const float weight = importance.empty() ? 1.0f : importance[static_cast<size_t>(row)];
                for (int64_t f = 0; f < kColumnFeatures; ++f)
                    magnitude[p][f] = std::fabs(w[f]) * weight;
            }
        }
        uint8_t *const kept = tile.kept + 4 * quad * kColumnFeatures;
        uint8_t *const position = tile.position + 2 * quad * kColumnFeatures;
        for (int64_t f = 0; f < kColumnFeatures; ++f) {
            const KeptPair pair = keep_two(magnitude[0][f], magnitude[1][f], magnitude[2][f], magnitude[3][f]);
            position[f] = pair.first;
            position[kColumnFeatures + f] = pair.second;
        }
        for (int64_t p = 0; p < 4; ++p)
            for (int64_t f = 0; f < kColumnFeatures; ++f)
                kept[p * kColumnFeatures + f] = position[f] == p || position[kColumnFeatures + f] == p ? 1 : 0;
    }
}

void check_pattern(const Tile &tile) {
    const auto nonzeros = [&](int64_t quad, int64_t f) {
        int count = 0;
        for (int64_t r = 4 * quad; r < 4 * quad + 4; ++r)
            count += tile.source_row[r] >= 0 && tile.value[r * kColumnFeatures + f] != 0.0f ? 1 : 0;
        return count;
    };
    for (int64_t quad = 0; quad < tile.rows / 4; ++quad)
        for (int64_t f = 0; f < tile.features; ++f)
            if (const int count = nonzeros(quad, f); count > 2)
                fail(Status::NotSparse,
                     "rows {} .. {} of column {} have {} nonzero weights, expected at most 2 of each 4 rows",
                     tile.first_row + 4 * quad, tile.first_row + 4 * quad + 3, tile.first_feature + f, count);
}

} // namespace marlin
