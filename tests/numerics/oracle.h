// The product in FP64 on dequantised weights, and how far a right result may be from it.
#pragma once

#include <cstdint>
#include <vector>

#include "common/problem.h"
#include "layout/header.h"

namespace marlin::test {

// One output element: the exact value, and the error allowed before the rounding to C.
//
// Derivation of `slack`. A sum of L products in FP32, in any order, is off by at most gamma_L * sum|a||w|, with
// u = 2^-24; for rounding errors that do not conspire, by about sqrt(L) * u * sum|a||w| (Higham and Mary, 2019). A
// plain FP32 product has L = k; twice its error is allowed. Kernels do not add up a * w but a * (u - 8) * s and a *
// beta, with beta = (8 - zero) * s or offset + 8 * s: where those are larger than w and cancel, their size counts
// instead of |w| (the data term): size = sum |a| * (|u - 8| * s + |beta|).  Activations or parts of them below 2^-126
// may be read as zero: |u - 8| * s * 2^-125 for each.
struct Expected {
    double value = 0.0;
    double slack = 0.0;
    // sum |a| * (|code - zero| * s + |offset|): what a kernel rounds that keeps weights in the type of A.
    double weights = 0.0;
};

class Oracle {
public:
    Oracle(const Problem &problem, const WeightsView &weights);

    // `a` is row m of A, `bias` nullptr or n values of the problem's bias type.
    std::vector<Expected> row(const std::byte *a, const std::byte *bias) const;

private:
    struct Weight {
        int32_t source = -1; // column of A
        double w = 0.0;
        double size = 0.0;
        double terms = 0.0; // as Expected::weights
    };
    Problem problem_;
    std::vector<std::vector<Weight>> features_; // without pruned and padding positions
};

// Whether `got` (a value of `type`) is `expected` within its slack and one rounding to `type`.
bool close(float got, const Expected &expected, Type type);

} // namespace marlin::test
