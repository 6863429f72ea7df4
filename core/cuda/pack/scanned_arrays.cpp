// Arrays of scales, zeros and codes that are whole vectors.
#include "cuda/pack/scanned_arrays.h"

#include <algorithm>

#include "cuda/pack/read_codes.h"

namespace marlin::cuda {

std::vector<ScannedArray> scanned_arrays(const PackRequest &request, const PackPlan &plan) {
    const int64_t count = plan.source_groups * request.n;
    std::vector<ScannedArray> arrays = {{request.scales.data(), count * size_of(request.src_scale_type),
                                         limit_of_numbers(request.src_scale_type, plan.shape.scale_type)}};
    if (plan.zeros == SourceZeros::Offset)
        arrays.push_back({request.zeros.data(), count * size_of(plan.src_zero_type),
                          limit_of_numbers(plan.src_zero_type, plan.shape.zero_type)});
    else if (plan.zeros != SourceZeros::Symmetric &&
             (request.source == Source::Plain || plan.shape.zero_type == Type::None))
        return {};
    const bool along_n = request.src_order == Order::KxN;
    if (request.source == Source::Plain && plan.ld_src != (along_n ? request.n : request.k))
        return {};
    if (request.source == Source::Plain)
        arrays.push_back({request.src.data(), request.k * request.n, limit_of_codes(code_bias(request.src_type))});
    const bool fit = std::all_of(arrays.begin(), arrays.end(), [](const ScannedArray &array) {
        return reinterpret_cast<uintptr_t>(array.data) % 16 == 0 && array.size % 16 == 0;
    });
    return fit && request.sparsity != Sparsity::Already24 ? arrays : std::vector<ScannedArray>();
}

} // namespace marlin::cuda
