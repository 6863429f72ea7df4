// Running one problem on a GPU with fenced operands, and comparing it with the oracle.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend.h"
#include "cuda/runtime.h"
#include "numerics/run.h"

namespace marlin::test {

// Device copies of a problem's operands and weights.
struct OnDevice {
    OnDevice(const Problem &problem, Operands &operands, const Weights &weights);
    // Brings C back to the operands, or sends it again.
    void fetch_c(Operands &operands) const;
    void send_c(Operands &operands);
    void send_a(const Operands &operands);

    cuda::DeviceMemory a;
    cuda::DeviceMemory c;
    cuda::DeviceMemory packed;
    cuda::DeviceMemory bias;
    WeightsView view;
    GemmOperands get;
};

std::unique_ptr<Backend> cuda_backend();

// The layout that CUDA kernels take.
Layout cuda_layout(const Problem &problem);

// As the C interface completes it: a bias has a type.
Problem from_text(std::string_view text);

// Empty, or what is wrong with the first bad element of the result, problem text included.
std::string check_on_device(Backend &backend, const Problem &problem, Fill fill, uint64_t seed);

// All of them, with every fill but the extreme one; those with FP32 activations are left out.
void check_all(Backend &backend, const std::vector<Problem> &problems);

} // namespace marlin::test
