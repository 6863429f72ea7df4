// The least time that a multiply can take: reading its bytes, or the tensor cores.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/problem.h"

namespace marlin::bench {

// us to read so many bytes, from ceilings measured earlier on such a GPU; nothing outside of what was measured.
std::optional<double> known_read_us(const std::string &gpu, int64_t bytes);

// TFLOP/s of dense FP16 and BF16 tensor-core products; 0 where this program does not know the GPU.
double tensor_peak(const std::string &gpu);

// 2 m n k, pruned weights counted: what the multiply stands for.
double operations(const Problem &problem);

// Activations and output: what a multiply moves beside the packed bytes.
int64_t bytes_beside_weights(const Problem &problem);

// The larger of two times: reading the packed bytes, stretched by the bytes beside them, and the operations at the peak
// (2:4 weights: half of them, which the tensor core skips).
double limit_us(const Problem &problem, int64_t packed_bytes, double read_us, double peak_tflops);

} // namespace marlin::bench
