// Tensor maps: how Hopper's copy engine is told of a matrix in memory.
#pragma once

#include <cstdint>

namespace marlin::cuda {

// 16-bit elements in rows.
struct Matrix {
    const void *data; // 16-byte aligned
    int64_t columns;  // 1 or more
    int64_t rows;     // 1 or more
    int64_t row_step; // elements from row to row, a multiple of 8
};

// The driver's CUtensorMap, which is opaque and passed to kernels by value.
struct alignas(128) TensorMap {
    unsigned char opaque[128];
};

// Boxes of `rows` rows of 64 elements, in the swizzle of as many bytes, 128; what of a box lies outside the matrix
// comes as zeros. DeviceError where the driver refuses.
TensorMap box_map(const Matrix &matrix, int32_t rows);

} // namespace marlin::cuda
