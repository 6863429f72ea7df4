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

// body(r, w, kept) for the rows that are not padding; kept(f) tells whether column f takes part, and is the constant
// true for dense rows.
template <typename Body>
void for_each_row(const ValueRows &rows, Body body) {
    for (int64_t r = 0; r < rows.count; ++r) {
        if (rows.source_row[r] < 0)
            continue;
        const float *const w = rows.values + r * kColumnFeatures;
        if (rows.kept == nullptr) {
            body(r, w, [](int64_t) { return true; });
        } else {
            const uint8_t *const kept = rows.kept + r * kColumnFeatures;
            body(r, w, [kept](int64_t f) { return kept[f] != 0; });
        }
    }
}

} // namespace

ColumnRange::ColumnRange() {
    std::fill_n(low, kColumnFeatures, std::numeric_limits<float>::infinity());
    std::fill_n(high, kColumnFeatures, -std::numeric_limits<float>::infinity());
}

void add_to_range(const ValueRows &rows, ColumnRange &range) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    ColumnRange so_far = range; // a copy cannot overlap the values
    for_each_row(rows, [&so_far](int64_t, const float *w, auto kept) {
        for (int64_t f = 0; f < kColumnFeatures; ++f) {
            const float value = w[f];
            const float low = kept(f) ? value : infinity;
            const float high = kept(f) ? value : -infinity;
            so_far.low[f] = low < so_far.low[f] ? low : so_far.low[f];
            so_far.high[f] = high > so_far.high[f] ? high : so_far.high[f];
        }
    });
    range = so_far;
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
        for_each_row(rows, [&](int64_t r, const float *w, auto kept) {
            const float importance = rows.importance == nullptr ? 1.0f : rows.importance[rows.source_row[r]];
            for (int64_t f = 0; f < kColumnFeatures; ++f) {
                const CodeGrid g = grid.at(f);
                const float e = w[f] - value_of(code_of(w[f], g), g);
                const float sum = errors[f] + importance * (e * e);
                errors[f] = kept(f) ? sum : errors[f];
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
    for_each_row(rows, [&](int64_t r, const float *w, auto) {
        uint8_t *const out = codes + r * kColumnFeatures;
        for (int64_t f = 0; f < kColumnFeatures; ++f)
            out[f] = static_cast<uint8_t>(static_cast<int32_t>(code_of(w[f], column.at(f))));
    });
}

} // namespace marlin
