// What a kernel is to the code that drives it: two functions over plain values, and their limits.
// Instruction-set files include this and call no inline function of it, so that none is emitted with their
// instructions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/types.h"
#include "cpu/isa.h"

namespace marlin::cpu {

// Rows of A re-packed as a kernel reads them. One call takes one row block.
//
// "Scale block": the consecutive packed rows of W (that is, of k) whose products are summed before they are scaled: a
// group, or a run where the whole column has one scale. It bounds how far an unscaled sum grows, and its place never
// depends on m, so neither do the bits of a row.
struct RepackArgs {
    const std::byte *a = nullptr; // first row of the block
    int64_t row_stride = 0;       // bytes
    Type a_type = Type::F16;
    int32_t rows = 0;
    int64_t k = 0;       // columns of A; packed rows of W without one read as 0
    int64_t k_begin = 0; // this call's part of k_packed: whole scale blocks
    int64_t k_end = 0;
    int64_t block_k = 0; // a scale block: 32, 64 or 128
    const int32_t *perm = nullptr;
    void *packed = nullptr; // of the row block, as the next
    float *sums = nullptr;  // [k_packed / block_k][rows]: a summed over each scale block; nullptr: not wanted
};

// One row block times one packed column of 64 features, from re-packed A to finished C.
struct ColumnArgs {
    const void *a = nullptr;     // as RepackArgs::packed
    const float *sums = nullptr; // as RepackArgs::sums, for dense weights with zero points or offsets
    int32_t rows = 0;
    Type a_type = Type::F16;

    const std::byte *codes = nullptr;    // of run 0
    const std::byte *metadata = nullptr; // 2:4: of run 0
    const std::byte *scales = nullptr;   // of run 0, 64 a scale block
    const std::byte *zeros = nullptr;    // likewise
    int64_t run_size = 0;                // bytes from run to run, of codes and metadata
    int64_t scales_run_size = 0;         // the same for scales and zeros: 0 where the column has one of each
    int64_t zeros_run_size = 0;
    int64_t scales_block_size = 0; // bytes from scale block to scale block inside a run
    int64_t zeros_block_size = 0;
    int64_t runs = 0;
    int64_t blocks_in_run = 0;
    int64_t block_k = 0;
    Type scale_type = Type::F16;
    Type zero_type = Type::None;

    const std::byte *bias = nullptr; // of feature 0 of this column, as c; nullptr: none
    Type bias_type = Type::F16;
    std::byte *c = nullptr;
    int64_t c_row_stride = 0; // bytes
    Type c_type = Type::F16;
    int32_t features = 0; // 1..64 that exist
};

// What re-packed A costs, and how many rows one row block may have, for activations of one type.
struct RowShape {
    int32_t bytes_per_k = 0;
    int32_t max_rows = 0;
};

struct Kernel {
    const char *name = "";
    int32_t number = 0;
    Isa isa = Isa::Reference;
    bool sparse = false;
    RowShape rows[3]; // F16, BF16, F32
    void (*repack)(const RepackArgs &args) = nullptr;
    void (*multiply)(const ColumnArgs &args) = nullptr;
};

extern const Kernel kernel_avx2;
extern const Kernel kernel_avx2_24;
extern const Kernel kernel_avx512;
extern const Kernel kernel_avx512_24;
extern const Kernel kernel_avx512_bf16;
extern const Kernel kernel_avx512_bf16_24;

} // namespace marlin::cpu
