// What a pack request means once every field is checked: kind of source, stored shape, expected sizes.
#pragma once

#include <cstdint>

#include "pack/request.h"

namespace marlin {

// What stands for zero in the source.
enum class SourceZeros {
    Rounded,   // the source holds values: computed here
    Symmetric, // zero point 8, or signed codes
    Integer,
    Offset,
    Undecided, // packed words while only sizes are asked for: perhaps Integer
};

struct PackPlan {
    PackedShape shape; // k_packed: exact without act-order, else the bound
    SourceZeros zeros = SourceZeros::Symmetric;
    Type src_zero_type = Type::None; // U8 for the nibbles of packed words
    int64_t ld_src = 0;              // never 0 for Source::Plain
    int64_t source_groups = 0;
};

// Status::InvalidArgument or Status::NotSupported with the field's name.
PackPlan make_plan(const PackRequest &request);

// The sizes of all arrays of the request, against what the plan expects.
void check_sizes(const PackRequest &request, const PackPlan &plan);

// Elements of a strided array are all there: from the first to the last, the last row's padding optional.
void check_strided_size(const char *name, int64_t size, int64_t rows, int64_t columns, int64_t ld, int64_t element);

} // namespace marlin
