// The reference multiply: weight by weight through the layout functions, FP32 sums a group, scaled afterwards.
#include "cpu/reference.h"

#include <algorithm>
#include <cmath>

#include "common/half.h"
#include "cpu/partition.h"
#include "layout/element.h"

namespace marlin::cpu {
namespace {

const std::byte *element_at(const void *base, int64_t index, Type type) {
    return static_cast<const std::byte *>(base) + index * size_of(type);
}

void write_value(void *base, int64_t index, Type type, float value) {
    std::byte *at = static_cast<std::byte *>(base) + index * size_of(type);
    if (type == Type::F32) {
        std::memcpy(at, &value, sizeof value);
        return;
    }
    const uint16_t bits = f32_to_half(value, type);
    std::memcpy(at, &bits, sizeof bits);
}

// Sums of a group for some rows. A weight is (code - centre) * scale + beta: the zero point is the centre and beta
// zero, or, with offsets, the centre is eight and beta = offset + 8 * scale: offsets are about -8 * scale, so that
// little cancels. A group is scale * sum(a * (code - centre)) + beta * sum(a).
struct GroupSums {
    float products[kReferenceRows] = {};
    float activations[kReferenceRows] = {};
};

// Rows [m0, m0 + rows) of feature n.
void reference_rows(const Problem &p, const GemmOperands &operands, const WeightsView &w, int64_t n, int64_t m0,
                    int64_t rows) {
    const Geometry &g = w.geometry;
    const int64_t group_k = g.groups_in_run == 0 ? g.shape.k_packed : g.shape.group_size;
    float totals[kReferenceRows] = {};
    for (int64_t group = 0; group < g.groups(); ++group) {
        const ZeroAndOffset zero = read_zero(w, group, n);
        const bool offset = is_float(g.shape.zero_type);
        const float centre = offset ? 8.0f : zero.zero;
        const float scale = read_scale(w, group, n);
        GroupSums sums;
        for (int64_t k = group * group_k; k < (group + 1) * group_k; ++k) {
            const int64_t source = w.perm != nullptr ? w.perm[k] : k;
            const Element element = read_element(w, k, n);
            if (source < 0 || source >= p.k || element.pruned)
                continue;
            const float code = static_cast<float>(element.code) - centre;
            for (int64_t r = 0; r < rows; ++r) {
                const float a =
                    read_value(element_at(operands.a, (m0 + r) * operands.lda + source, p.a_type), p.a_type);
                sums.products[r] = std::fma(a, code, sums.products[r]);
                sums.activations[r] += a;
            }
        }
        const float beta = offset ? std::fma(8.0f, scale, zero.offset) : 0.0f;
        for (int64_t r = 0; r < rows; ++r) {
            totals[r] = std::fma(sums.products[r], scale, totals[r]);
            if (offset)
                totals[r] = std::fma(sums.activations[r], beta, totals[r]);
        }
    }
    for (int64_t r = 0; r < rows; ++r) {
        if (operands.bias != nullptr)
            totals[r] += read_value(element_at(operands.bias, n, p.bias_type), p.bias_type);
        write_value(operands.c, (m0 + r) * operands.ldc + n, p.c_type, totals[r]);
    }
}

} // namespace

void reference_gemm(const Problem &problem, const GemmOperands &operands, const WeightsView &weights,
                    WorkerPool &pool) {
    auto feature = [&](int64_t n) {
        for (int64_t m0 = 0; m0 < problem.m; m0 += kReferenceRows)
            reference_rows(problem, operands, weights, n, m0, std::min<int64_t>(kReferenceRows, problem.m - m0));
    };
    pool.for_each(problem.n, feature);
}

} // namespace marlin::cpu
