// Bringing codes and values of any source into tiles of rows x 64 columns.
#pragma once

#include <cstdint>

#include "common/types.h"
#include "pack/request.h"

namespace marlin {

// Which part of the source: `count` rows (source_row[i], negative: skipped) of `features` columns from first_feature.
struct DecodeArea {
    const int32_t *source_row;
    int64_t count;
    int64_t first_feature;
    int64_t features;
};

// Unsigned codes, 64 a row: S4 plus eight. Codes of Source::Plain that are out of range give more than 15.
void decode_codes(const PackRequest &request, int64_t ld_src, const DecodeArea &area, uint8_t *codes);
// FP32 values, 64 a row.
void decode_values(const PackRequest &request, int64_t ld_src, const DecodeArea &area, float *values);

// One element as it stands in the source, for messages.
int code_in_source(const PackRequest &request, int64_t ld_src, int64_t k, int64_t n);

} // namespace marlin
