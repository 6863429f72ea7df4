// FP64 sums over the weights that the layout functions read.
#include "numerics/oracle.h"

#include <algorithm>
#include <cmath>

#include "layout/element.h"

namespace marlin::test {

Oracle::Oracle(const Problem &problem, const WeightsView &w) : problem_(problem) {
    const Geometry &g = w.geometry;
    features_.resize(static_cast<size_t>(problem.n));
    for (int64_t n = 0; n < problem.n; ++n)
        for (int64_t k = 0; k < g.shape.k_packed; ++k) {
            const int64_t source = w.perm != nullptr ? w.perm[k] : k;
            const Element element = read_element(w, k, n);
            if (source < 0 || source >= problem.k || element.pruned)
                continue;
            const double scale = read_scale(w, g.group_of(k), n);
            const ZeroAndOffset zero = read_zero(w, g.group_of(k), n);
            const double code = element.code;
            // zero.zero is 8 for plain S4 and 0 with offsets, zero.offset 0 unless there are.
            const double beta = (8.0 - static_cast<double>(zero.zero)) * scale + static_cast<double>(zero.offset);
            Weight weight;
            weight.source = static_cast<int32_t>(source);
            weight.w = (code - static_cast<double>(zero.zero)) * scale + static_cast<double>(zero.offset);
            weight.size = std::abs(code - 8.0) * std::abs(scale) + std::abs(beta);
            weight.terms = std::abs(code - static_cast<double>(zero.zero)) * std::abs(scale) +
                           std::abs(static_cast<double>(zero.offset));
            features_[static_cast<size_t>(n)].push_back(weight);
        }
}

std::vector<Expected> Oracle::row(const std::byte *a, const std::byte *bias) const {
    std::vector<double> activations(static_cast<size_t>(problem_.k));
    for (size_t k = 0; k < activations.size(); ++k)
        activations[k] = read_value(a + static_cast<int64_t>(k) * size_of(problem_.a_type), problem_.a_type);
    std::vector<Expected> result;
    result.reserve(features_.size());
    for (size_t n = 0; n < features_.size(); ++n) {
        Expected expected;
        double size = 0.0;
        double tiny = 0.0;
        for (const Weight &weight : features_[n]) {
            const double activation = activations[static_cast<size_t>(weight.source)];
            expected.value += activation * weight.w;
            size += std::abs(activation) * weight.size;
            expected.weights += std::abs(activation) * weight.terms;
            tiny += weight.size * 0x1p-125;
        }
        if (bias != nullptr) {
            const double b =
                read_value(bias + static_cast<int64_t>(n) * size_of(problem_.bias_type), problem_.bias_type);
            expected.value += b;
            size += std::abs(b);
        }
        const double length = static_cast<double>(features_[n].size()) + 1.0;
        expected.slack = 2.0 * std::sqrt(length) * 0x1p-24 * size + tiny;
        result.push_back(expected);
    }
    return result;
}

bool close(float got, const Expected &expected, Type type) {
    // Significant bits, largest finite value plus half a step, and half of the smallest step.
    const double bits = type == Type::F32 ? 24 : type == Type::F16 ? 11 : 8;
    const double overflow = type == Type::F16 ? 65520.0 : type == Type::BF16 ? 0x1.ffp127 : 0x1.ffffffp127;
    const double smallest = type == Type::F16 ? 0x1p-25 : type == Type::BF16 ? 0x1p-134 : 0x1p-150;
    if (std::isnan(expected.value))
        return std::isnan(got);
    if (std::isinf(expected.value))
        return static_cast<double>(got) == expected.value;
    const double magnitude = std::abs(expected.value);
    if (std::isinf(got))
        return expected.slack + (std::signbit(got) == std::signbit(expected.value) ? magnitude : -magnitude) >=
               overflow;
    if (magnitude - expected.slack > overflow)
        return false;
    const double rounding = std::max((magnitude + expected.slack) * std::exp2(-bits), smallest);
    return std::abs(static_cast<double>(got) - expected.value) <= expected.slack + rounding;
}

} // namespace marlin::test
