// How rows and packed columns become items of work: pure arithmetic.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/arith.h"

namespace marlin::cpu {

// Rows that one item takes at most: enough to read a column's weights from memory once for many rows, few enough that
// their re-packed A stays in the shared cache while all columns pass.
inline constexpr int64_t kRowsPerItem = 64;
// Rows that the reference multiplies at a time.
inline constexpr int32_t kReferenceRows = 16;

// Rows are cut into row blocks of nearly equal length (nine rows as 5 + 4, not 8 + 1: a single row costs more than an
// eighth of eight), row blocks into chunks; an item is one chunk times one packed column, chunk after chunk.
class Partition {
public:
    Partition(int64_t rows, int32_t max_block_rows, int64_t columns, int32_t threads)
        : rows_(rows), columns_(columns), blocks_(std::max<int64_t>(1, div_up(rows, max_block_rows))) {
        chunk_blocks_ = std::min<int64_t>(blocks_, std::max<int64_t>(1, kRowsPerItem / max_block_rows));
        // Few columns: smaller items, so that every thread gets some and the last one is short.
        while (chunk_blocks_ > 1 && items() < int64_t{4} * threads)
            chunk_blocks_ = div_up(chunk_blocks_, 2);
    }

    int64_t blocks() const { return blocks_; }
    int64_t block_begin(int64_t block) const { return block * (rows_ / blocks_) + std::min(block, rows_ % blocks_); }
    int64_t block_rows(int64_t block) const { return block_begin(block + 1) - block_begin(block); }

    int64_t chunks() const { return div_up(blocks_, chunk_blocks_); }
    int64_t items() const { return chunks() * columns_; }
    int64_t column_of(int64_t item) const { return item % columns_; }
    int64_t first_block_of(int64_t item) const { return item / columns_ * chunk_blocks_; }
    int64_t end_block_of(int64_t item) const { return std::min(blocks_, first_block_of(item) + chunk_blocks_); }

private:
    int64_t rows_;
    int64_t columns_;
    int64_t blocks_;
    int64_t chunk_blocks_ = 1;
};

} // namespace marlin::cpu
