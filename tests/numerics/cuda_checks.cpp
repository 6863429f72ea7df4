// The checks that dense and 2:4 kernels share.
#include "numerics/cuda_checks.h"

#include <algorithm>
#include <vector>

#include "common/error.h"
#include "cuda/kernel/instance.h"
#include "numerics/cuda_run.h"
#include "support/catch.h"

namespace marlin::test {

int check_every_kernel(Backend &backend, std::string_view operation, std::span<const char *const> rests) {
    int ran = 0;
    for (const cuda::Instance *instance : cuda::instances()) {
        backend.set_option(Option::Kernel, instance->number);
        bool used = false;
        for (const char *rest : rests) {
            const Problem problem = from_text(fmt::format("{} {} {}", operation, to_string(instance->a_type), rest));
            std::string wrong;
            try {
                wrong = check_on_device(backend, problem, Fill::Random, 3);
            } catch (const Error &error) {
                CHECK(error.status() == Status::NotSupported);
                continue;
            }
            used = true;
            CHECK(wrong == "");
        }
        ran += used ? 1 : 0;
    }
    return ran;
}

void check_rows_alone(Backend &backend, const Problem &problem) {
    const Weights weights = make_weights(problem, cuda_layout(problem), Fill::Random, 8);
    Operands operands(problem, Fill::Random, 9);
    Operands poisoned = operands;
    OnDevice device(problem, operands, weights);
    backend.gemm(problem, device.get, device.view);
    device.fetch_c(operands);
    Problem one = problem;
    one.m = 1;
    for (int64_t m = 0; m < problem.m; m += 3) {
        device.send_c(poisoned);
        GemmOperands of_row = device.get;
        of_row.a = static_cast<const std::byte *>(device.get.a) + m * problem.lda * size_of(problem.a_type);
        backend.gemm(one, of_row, device.view);
        const std::vector<std::byte> in_batch = operands.row_of_c(m);
        std::vector<std::byte> alone(in_batch.size());
        cuda::copy_to_host(alone.data(), of_row.c, alone.size(), nullptr);
        INFO(to_text(problem) << ", row " << m);
        CHECK(alone == in_batch);
    }
}

void check_thousand_runs(Backend &backend, const Problem &problem) {
    const Weights weights = make_weights(problem, cuda_layout(problem), Fill::Random, 4);
    Operands operands(problem, Fill::Random, 5);
    OnDevice device(problem, operands, weights);
    backend.gemm(problem, device.get, device.view);
    device.fetch_c(operands);
    const std::vector<std::byte> first(operands.c_bytes().begin(), operands.c_bytes().end());
    int different = 0;
    for (int run = 1; run < 1000; ++run) {
        backend.gemm(problem, device.get, device.view);
        device.fetch_c(operands);
        different += std::equal(first.begin(), first.end(), operands.c_bytes().begin()) ? 0 : 1;
    }
    INFO(to_text(problem));
    CHECK(different == 0);
}

} // namespace marlin::test
