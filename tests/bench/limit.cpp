// Limits: arithmetic, and ceilings measured earlier.
#include "limit.h"

#include <algorithm>
#include <iterator>

namespace marlin::bench {
namespace {

struct ReadCeiling {
    int64_t n;
    int64_t k;
    double us;

    // Codes, and one FP16 scale for 128 of them.
    double bytes() const { return static_cast<double>(n) * static_cast<double>(k) * (0.5 + 2.0 / 128.0); }
};

// NVIDIA H200, driver 580.159, 2026-11-23: bulk copies into shared memory in a CUDA graph, buffers rotated past three
// times the L2, median of 15. By rising bytes.
constexpr ReadCeiling kH200[] = {
    {4096, 4096, 3.63},  {6144, 4096, 4.72},  {4096, 14336, 8.74}, {8192, 8192, 9.49},
    {28672, 4096, 15.4}, {8192, 28672, 28.9}, {57344, 8192, 55.8}, {73728, 18432, 158.0},
};

bool names(const std::string &gpu, const char *model) {
    return gpu.find(model) != std::string::npos;
}

} // namespace

std::optional<double> known_read_us(const std::string &gpu, int64_t bytes) {
    const auto wanted = static_cast<double>(bytes);
    // Packed bytes have a header of 256 bytes in front.
    if (!names(gpu, "H200") || wanted < kH200[0].bytes() || wanted > std::rbegin(kH200)->bytes() + 256.0)
        return std::nullopt;
    const auto *above = std::find_if(std::begin(kH200) + 1, std::end(kH200) - 1,
                                     [&](const ReadCeiling &c) { return c.bytes() >= wanted; });
    const ReadCeiling &below = *(above - 1);
    const double along = (wanted - below.bytes()) / (above->bytes() - below.bytes());
    return below.us + along * (above->us - below.us);
}

double tensor_peak(const std::string &gpu) {
    if (names(gpu, "H100") || names(gpu, "H200"))
        return 990.0; // NVIDIA H100 data sheet, SXM, without sparsity
    if (names(gpu, "A100"))
        return 312.0; // NVIDIA A100 data sheet
    return 0.0;
}

double operations(const Problem &problem) {
    return 2.0 * static_cast<double>(problem.m) * static_cast<double>(problem.n) * static_cast<double>(problem.k);
}

int64_t bytes_beside_weights(const Problem &problem) {
    return problem.m * problem.k * size_of(problem.a_type) + problem.m * problem.n * size_of(problem.c_type);
}

double limit_us(const Problem &problem, int64_t packed_bytes, double read_us, double peak_tflops) {
    const auto packed = static_cast<double>(packed_bytes);
    const double memory = read_us * (packed + static_cast<double>(bytes_beside_weights(problem))) / packed;
    if (peak_tflops == 0.0)
        return memory;
    return std::max(memory, operations(problem) / (peak_tflops * (problem.sparse ? 2.0 : 1.0)) * 1e-6);
}

} // namespace marlin::bench
