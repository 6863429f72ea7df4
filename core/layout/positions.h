// Where the nibble of (row, feature) and its 2:4 metadata sit inside one run: one constexpr function a layout.
#pragma once

#include <cstdint>

#include "common/host_device.h"
#include "layout/layout.h"

namespace marlin {

// A field of 4 bits (codes) or 2 bits (metadata): byte offset and shift within that byte.
struct BitsAt {
    int64_t byte;
    int shift;
};

// ---- NVIDIA ---------------------------------------------------------------------------------------------------------
// Blocks of 64 features x 64 rows = 2048 bytes, along k. Inside: 4 row groups of 16 features x 32 lanes x 16 bytes; a
// lane's 16 bytes are its A fragments of four k16 steps, so one 16-byte load feeds four mma.m16n8k16 (and, warp by
// warp, four wgmma.m64nNk16) with features on the M side.
//   lane = 4 * (feature % 8) + (row % 8) / 2                     (PTX ISA, "Matrix fragments for mma.m16n8k16")
//   nibble of the step's 32-bit word = register + 4 * (row % 2), register = (feature >= 8) + 2 * (row >= 8)
// so that (word >> 4 * register) & 0x000f000f holds the register's two neighbours in k, 16 bits apart.
MARLIN_HD constexpr BitsAt nvidia_code_at(int64_t row, int64_t feature) {
    const int64_t block = row / 64;
    const int64_t step = row % 64 / 16;
    const int64_t r = row % 16;
    const int64_t f = feature % 16;
    const int64_t lane = 4 * (f % 8) + r % 8 / 2;
    const int64_t nibble = f / 8 + 2 * (r / 8) + 4 * (r % 2);
    return {block * 2048 + feature / 16 * 512 + lane * 16 + step * 4 + nibble / 2, static_cast<int>(nibble % 2 * 4)};
}

// Metadata of 64 features x 128 logical rows = 1024 bytes. Inside: 4 row groups of 16 features x 16 pairs
// (feature % 8, half of the k32 step) x 16 bytes = one 32-bit word for each of four k32 steps; its low 16 bits belong
// to feature % 16 < 8, the high ones to the feature 8 further: the operand e of mma.sp.m16n8k32 as lanes 4g and 4g + 1
// hold it (sparsity selector 0). `quad` counts groups of four logical rows in the run, `slot` is the first or second
// kept.
MARLIN_HD constexpr BitsAt nvidia_metadata_at(int64_t quad, int64_t slot, int64_t feature) {
    const int64_t block = quad / 32;
    const int64_t step = quad % 32 / 8;
    const int64_t half = quad % 8 / 4;
    const int64_t f = feature % 16;
    const int64_t bit = f / 8 * 16 + (quad % 4 * 2 + slot) * 2;
    return {block * 1024 + feature / 16 * 256 + (f % 8 * 2 + half) * 16 + step * 4 + bit / 8,
            static_cast<int>(bit % 8)};
}

// ---- CPU ------------------------------------------------------------------------------------------------------------
// Chunks of 64 features x 8 rows = 256 bytes, along k. Inside: 4 blocks of 16 features x 64 bytes (one AVX-512
// register); 16-bit lane 2 * feature + row % 2 holds the nibbles of rows row % 2 + {0, 2, 4, 6}, lowest first. Shifting
// the register right by 4 j leaves, in the low bits of every lane, the pair of rows (2j, 2j + 1) as bfloat16 dot
// products want it.
MARLIN_HD constexpr BitsAt cpu_code_at(int64_t row, int64_t feature) {
    const int64_t pair = row % 8 / 2;
    const int64_t lane = 2 * (feature % 16) + row % 2;
    return {row / 8 * 256 + feature / 16 * 64 + lane * 2 + pair / 2, static_cast<int>(pair % 2 * 4)};
}

// Metadata of 64 features x 32 logical rows (8 quads) = 256 bytes, along k; 16-bit lane 2 * feature + slot holds the
// position of that kept value inside quads 0..7, lowest bits first.
MARLIN_HD constexpr BitsAt cpu_metadata_at(int64_t quad, int64_t slot, int64_t feature) {
    const int64_t bit = quad % 8 * 2;
    const int64_t lane = 2 * (feature % 16) + slot;
    return {quad / 8 * 256 + feature / 16 * 64 + lane * 2 + bit / 8, static_cast<int>(bit % 8)};
}

// ---- By number ------------------------------------------------------------------------------------------------------
// `row` counts stored rows of the run: logical rows when dense, kept ones (2 * quad + slot) when 2:4.
MARLIN_HD constexpr BitsAt code_at(Layout layout, int64_t row, int64_t feature) {
    return is_cpu(layout) ? cpu_code_at(row, feature) : nvidia_code_at(row, feature);
}
MARLIN_HD constexpr BitsAt metadata_at(Layout layout, int64_t quad, int64_t slot, int64_t feature) {
    return is_cpu(layout) ? cpu_metadata_at(quad, slot, feature) : nvidia_metadata_at(quad, slot, feature);
}
// A stored nibble is the unsigned code (S4: code + 8) xor this. CPU layouts store it minus eight in two's complement,
// which AVX2 sign-extends for nothing; NVIDIA layouts store it as it is, for the mantissa of 1024.0.
MARLIN_HD constexpr unsigned code_xor(Layout layout) {
    return is_cpu(layout) ? 8u : 0u;
}

} // namespace marlin
