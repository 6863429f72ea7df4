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
inline constexpr int kTensorMapAlignment = 128;
struct TensorMap {
    alignas(kTensorMapAlignment) unsigned char opaque[128];
};

// Columns of a box: the 128 bytes of the widest swizzle.
inline constexpr int32_t kBoxColumns = 64;

// Boxes of `columns` x `rows` elements, in the 128-byte swizzle; what of a box lies outside the matrix comes as zeros.
// DeviceError where the driver refuses.
TensorMap box_map(const Matrix &matrix, int32_t columns, int32_t rows);

} // namespace marlin::cuda
