// Rounding of a block of rows x 64 columns: range, least-squares search, codes.
#pragma once

#include <cstdint>

#include "layout/layout.h"
#include "quantize/rounding.h"

namespace marlin {

// Rows of one group or a part of it, 64 columns each, in packed order.
struct ValueRows {
    const float *values = nullptr;
    const uint8_t *kept = nullptr;       // nonzero: takes part; NULL: all do
    const int32_t *source_row = nullptr; // negative: a padding row, skipped
    const float *importance = nullptr;   // by source row; NULL: all 1
    int64_t count = 0;
};

// Of 64 columns each.
struct ColumnRange {
    ColumnRange();
    float low[kColumnFeatures];
    float high[kColumnFeatures];
};
struct ColumnParams {
    float scale[kColumnFeatures];
    float zero[kColumnFeatures];
};

// Sums of all candidates; a group that spans several blocks of rows adds them one after the other.
class CandidateErrors {
public:
    CandidateErrors(const ColumnRange &range, RoundingTypes types);
    void add(const ValueRows &rows);
    // Parameters of the best candidate, column by column.
    ColumnParams best() const;

private:
    Grid grid_;
    ColumnParams params_[kScaleCandidates];
    float errors_[kScaleCandidates][kColumnFeatures];
};

void add_to_range(const ValueRows &rows, ColumnRange &range);
ColumnParams min_max_params(const ColumnRange &range, RoundingTypes types);
// Codes of rows that are not padding; 64 a row.
void round_rows(const ValueRows &rows, const ColumnParams &params, Grid grid, uint8_t *codes);

} // namespace marlin
