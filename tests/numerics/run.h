// Running one problem through the CPU backend with fenced operands, and comparing it with the oracle.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend.h"
#include "numerics/oracle.h"
#include "numerics/weights.h"

namespace marlin::test {

// A, bias and C of a problem. A is as long as it may be read and not a byte longer; what lies between its rows is NaN.
// C is poisoned everywhere, with guard bytes before and after.
class Operands {
public:
    Operands(const Problem &problem, Fill fill, uint64_t seed);

    // Guard bytes before and after C.
    static constexpr int64_t kGuard = 256;

    GemmOperands get();
    std::span<const std::byte> a_bytes() const { return a_; }
    std::span<std::byte> c_bytes() { return c_; } // guards included
    std::byte *row_of_a(int64_t m);
    const std::byte *bias() const { return bias_.empty() ? nullptr : bias_.data(); }
    float c(int64_t m, int64_t n) const;
    // The bytes of row m of C.
    std::vector<std::byte> row_of_c(int64_t m) const;
    void poison_c();
    // Empty, or what was overwritten outside the m x n elements of C.
    std::string fence_damage() const;

private:
    Problem problem_;
    std::vector<std::byte> a_;
    std::vector<std::byte> bias_;
    std::vector<std::byte> c_;
};

// The instruction sets that this machine can run, reference included, as values of Option::CpuIsa.
std::vector<int64_t> isas_here();

std::unique_ptr<Backend> make_backend(int64_t isa = 0, int32_t threads = 2);

// Empty, or what is wrong with the first bad element of the result, problem text included.
std::string check(Backend &backend, const Problem &problem, Layout layout, Fill fill, uint64_t seed);

} // namespace marlin::test
