// The partition of a CPU multiply: rows and columns each exactly once, in blocks that kernels can take.
#include "cpu/partition.h"

#include <vector>

#include "support/catch.h"

using namespace marlin::cpu;

TEST_CASE("Row blocks cover the rows in order and differ by one row at most") {
    for (const int32_t most : {6, 8})
        for (int64_t rows = 1; rows <= 300; ++rows) {
            const Partition partition(rows, most, 3, 2);
            int64_t next = 0;
            int64_t shortest = rows;
            int64_t longest = 0;
            for (int64_t block = 0; block < partition.blocks(); ++block) {
                REQUIRE(partition.block_begin(block) == next);
                next += partition.block_rows(block);
                shortest = std::min(shortest, partition.block_rows(block));
                longest = std::max(longest, partition.block_rows(block));
            }
            REQUIRE(next == rows);
            REQUIRE(shortest >= 1);
            REQUIRE(longest <= most);
            REQUIRE(longest - shortest <= 1);
        }
}

TEST_CASE("Items are every pair of row block and column once") {
    for (const int64_t rows : {1, 8, 9, 64, 65, 500})
        for (const int64_t columns : {1, 2, 9, 128})
            for (const int32_t threads : {1, 2, 64}) {
                const Partition partition(rows, 8, columns, threads);
                std::vector<int> seen(static_cast<size_t>(partition.blocks() * columns));
                for (int64_t item = 0; item < partition.items(); ++item)
                    for (int64_t block = partition.first_block_of(item); block < partition.end_block_of(item); ++block)
                        ++seen[static_cast<size_t>(block * columns + partition.column_of(item))];
                REQUIRE(seen == std::vector<int>(seen.size(), 1));
            }
}

TEST_CASE("Few columns give smaller items, many columns items of at most 64 rows") {
    CHECK(Partition(64, 8, 1000, 2).items() == 1000);
    CHECK(Partition(128, 8, 1000, 2).items() == 2000);
    CHECK(Partition(64, 8, 1, 2).items() == 8);
    CHECK(Partition(64, 8, 2, 2).items() >= 8);
}
