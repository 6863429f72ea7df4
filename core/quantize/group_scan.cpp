// Loops over rows outside and 64 columns inside: the compiler turns the latter into vectors without changing a bit.
#include "quantize/group_scan.h"

#include <algorithm>
#include <limits>

namespace marlin {
namespace {

// CodeGrid of 64 columns, as arrays.
struct ColumnGrid {
    ColumnGrid(const ColumnParams &params, Grid grid) {
        for (int64_t f = 0; f < kColumnFeatures; ++f) {
            const CodeGrid g = code_grid({params.scale[f], params.zero[f]}, grid);
            scale[f] = g.scale;
            divisor[f] = g.divisor;
            base[f] = g.base;
            offset[f] = g.offset;
        }
    }
    CodeGrid at(int64_t f) const { return {scale[f], divisor[f], base[f], offset[f]}; }

    float scale[kColumnFeatures];
    float divisor[kColumnFeatures];
    float base[kColumnFeatures];
    float offset[kColumnFeatures];
};

template <typename Body>
void for_each_row(const ValueRows &rows, Body body) {
    for (int64_t r = 0; r < rows.count; ++r)
        if (rows.source_row[r] >= 0)
            body(r, rows.values + r * kColumnFeatures);
}

} // namespace

ColumnRange::ColumnRange() {
    std::fill_n(low, kColumnFeatures, std::numeric_limits<float>::infinity());
    std::fill_n(high, kColumnFeatures, -std::numeric_limits<float>::infinity());
}

void add_to_range(const ValueRows &rows, ColumnRange &range) {
    for_each_row(rows, [&](int64_t r, const float *w) {
        const uint8_t *kept = rows.kept == nullptr ? nullptr : rows.kept + r * kColumnFeatures;
        for (int64_t f = 0; f < kColumnFeatures; ++f) {
            if (kept != nullptr && kept[f] == 0)
                continue;
            range.low[f] = w[f] < range.low[f] ? w[f] : range.low[f];
            range.high[f] = w[f] > range.high[f] ? w[f] : range.high[f];
        }
    });
}

ColumnParams min_max_params(const ColumnRange &range, RoundingTypes types) {
    ColumnParams params;
    for (int64_t f = 0; f < kColumnFeatures; ++f) {
        const GroupParams p = candidate_params(range.low[f], range.high[f], 0, types);
        params.scale[f] = p.scale;
        params.zero[f] = p.zero;
    }
    return params;
}

CandidateErrors::CandidateErrors(const ColumnRange &range, RoundingTypes types) : grid_(types.grid()), errors_{} {
    for (int i = 0; i < kScaleCandidates; ++i)
        for (int64_t f = 0; f < kColumnFeatures; ++f) {
            const GroupParams p = candidate_params(range.low[f], range.high[f], i, types);
            params_[i].scale[f] = p.scale;
            params_[i].zero[f] = p.zero;
        }
}

void CandidateErrors::add(const ValueRows &rows) {
    for (int i = 0; i < kScaleCandidates; ++i) {
        const ColumnGrid grid(params_[i], grid_);
        float *const errors = errors_[i];
        for_each_row(rows, [&](int64_t r, const float *w) {
            const float importance = rows.importance == nullptr ? 1.0f : rows.importance[rows.source_row[r]];
            const uint8_t *kept = rows.kept == nullptr ? nullptr : rows.kept + r * kColumnFeatures;
            for (int64_t f = 0; f < kColumnFeatures; ++f) {
                if (kept != nullptr && kept[f] == 0)
                    continue;
                const CodeGrid g = grid.at(f);
                const float e = w[f] - value_of(code_of(w[f], g), g);
                errors[f] += importance * (e * e);
            }
        });
    }
}

ColumnParams CandidateErrors::best() const {
    ColumnParams best = params_[0];
    for (int64_t f = 0; f < kColumnFeatures; ++f) {
        float least = errors_[0][f];
        for (int i = 1; i < kScaleCandidates; ++i)
            if (errors_[i][f] < least) {
                least = errors_[i][f];
                best.scale[f] = params_[i].scale[f];
                best.zero[f] = params_[i].zero[f];
            }
    }
    return best;
}

void round_rows(const ValueRows &rows, const ColumnParams &params, Grid grid, uint8_t *codes) {
    const ColumnGrid column(params, grid);
    for_each_row(rows, [&](int64_t r, const float *w) {
        uint8_t *const out = codes + r * kColumnFeatures;
        for (int64_t f = 0; f < kColumnFeatures; ++f)
            out[f] = static_cast<uint8_t>(static_cast<int32_t>(code_of(w[f], column.at(f))));
    });
}

} // namespace marlin
