// One multiply through the C interface: activations, a guarded C, and what C must be in FP64.
#pragma once

#include <cmath>
#include <cstring>
#include <vector>

#include "support/api_weights.h"

namespace marlin::test {

// F16 activations and F32 results, so that only the library's own accumulation stands between C and the oracle.
class Multiply {
public:
    Multiply(const WeightSource &source, int64_t m, uint64_t seed = 5)
        : source_(source), m_(m), k_(source.spec().k), n_(source.spec().n), desc(with_size<marlin_gemm_desc>()),
          a(static_cast<size_t>(m * k_)), c(static_cast<size_t>(m * n_) * sizeof(float)) {
        Random random(seed);
        for (uint16_t &value : a)
            value = encode_half(static_cast<double>(random.between(-32, 32)) / 8, kF16);
        desc.c_type = MARLIN_TYPE_F32;
        desc.m = m;
    }

    marlin_status run(marlin_handle_t handle, const marlin_weights *b) {
        const auto call = source_.spec().sparse ? marlin_sp_gemm : marlin_gemm;
        return call(handle, &desc, a.data(), b, c.data());
    }

    double exact(int64_t row, int64_t n) const {
        double sum = 0.0;
        for (int64_t k = 0; k < k_; ++k)
            sum += activation(row, k) * source_.weight(k, n);
        return sum;
    }

    // Every element within the error of an FP32 sum of k products of 24-bit weights in any order; fences intact.
    bool right() const {
        if (!c.fences_intact())
            return false;
        for (int64_t row = 0; row < m_; ++row)
            for (int64_t n = 0; n < n_; ++n) {
                float value = 0.0f;
                std::memcpy(&value, static_cast<const float *>(c.data()) + row * n_ + n, sizeof value);
                double magnitude = 0.0;
                for (int64_t k = 0; k < k_; ++k)
                    magnitude += std::fabs(activation(row, k)) * magnitude_of(k, n);
                const double bound = static_cast<double>(k_ + 8) * 0x1p-24 * magnitude;
                if (!(std::fabs(static_cast<double>(value) - exact(row, n)) <= bound))
                    return false;
            }
        return true;
    }

    std::vector<float> result() const {
        std::vector<float> values(c.size() / sizeof(float));
        std::memcpy(values.data(), c.data(), c.size());
        return values;
    }

private:
    const WeightSource &source_;
    int64_t m_;
    int64_t k_;
    int64_t n_;

    double activation(int64_t row, int64_t k) const { return decode_half(a[static_cast<size_t>(row * k_ + k)], kF16); }
    // What stands behind one weight before anything cancels: code * scale, and zero point or offset.
    double magnitude_of(int64_t k, int64_t n) const {
        return source_.kept(k, n) ? 16.0 * source_.scale(k, n) + 0.5 : 0;
    }

public:
    marlin_gemm_desc desc;
    std::vector<uint16_t> a;
    GuardedBuffer c;
};

} // namespace marlin::test
