// The checks that dense and 2:4 kernels share.
#include "numerics/cuda_checks.h"

#include <algorithm>
#include <vector>

#include "common/error.h"
#include "cuda/kernel/instance.h"
#include "numerics/cuda_run.h"
#include "support/catch.h"

namespace marlin::test {

int check_every_kernel(Backend &backend, std::string_view names, std::string_view operation,
                       std::span<const char *const> rests) {
    int ran = 0;
    for (const cuda::Instance *instance : cuda::instances()) {
        if (!std::string_view(instance->name).starts_with(names))
            continue;
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

void check_every_batch(Backend &backend, const Problem &problem) {
    const Weights weights = make_weights(problem, cuda_layout(problem), Fill::Random, 8);
    Operands operands(problem, Fill::Random, 9);
    Operands poisoned = operands;
    OnDevice device(problem, operands, weights);
    backend.gemm(problem, device.get, device.view);
    device.fetch_c(operands);
    Problem batch = problem;
    for (batch.m = 1; batch.m < problem.m; ++batch.m) {
        device.send_c(poisoned);
        backend.gemm(batch, device.get, device.view);
        Operands of_batch = poisoned;
        device.fetch_c(of_batch);
        int64_t different = 0;
        for (int64_t m = 0; m < batch.m; ++m)
            different += of_batch.row_of_c(m) != operands.row_of_c(m) ? 1 : 0;
        INFO(to_text(batch));
        CHECK(different == 0);
    }
}

void check_runs(Backend &backend, const Problem &problem, int runs) {
    const Weights weights = make_weights(problem, cuda_layout(problem), Fill::Random, 4);
    Operands operands(problem, Fill::Random, 5);
    OnDevice device(problem, operands, weights);
    backend.gemm(problem, device.get, device.view);
    device.fetch_c(operands);
    const std::vector<std::byte> first(operands.c_bytes().begin(), operands.c_bytes().end());
    int different = 0;
    for (int run = 1; run < runs; ++run) {
        backend.gemm(problem, device.get, device.view);
        device.fetch_c(operands);
        different += std::equal(first.begin(), first.end(), operands.c_bytes().begin()) ? 0 : 1;
    }
    INFO(to_text(problem));
    CHECK(different == 0);
}

void check_dependent_launches(Backend &backend, const Problem &problem) {
    constexpr int kPairs = 100;
    constexpr int kInputs = 4;
    const Weights weights = make_weights(problem, cuda_layout(problem), Fill::Random, 6);
    std::vector<Operands> operands;
    std::vector<std::unique_ptr<OnDevice>> inputs;
    for (int i = 0; i < kInputs; ++i) {
        operands.emplace_back(problem, Fill::Random, 10 + i);
        inputs.push_back(std::make_unique<OnDevice>(problem, operands.back(), weights));
    }
    const auto size = static_cast<size_t>(problem.m * problem.n * size_of(problem.c_type));
    const cuda::DeviceMemory between(0, size);
    const cuda::DeviceMemory results(0, size * kPairs);
    const auto run = [&](bool dependent) {
        backend.set_option(Option::DependentLaunch, dependent ? 1 : 0);
        for (int i = 0; i < kPairs; ++i) {
            const OnDevice &input = *inputs[static_cast<size_t>(i % kInputs)];
            GemmOperands first = input.get;
            first.c = between.data();
            first.ldc = problem.n;
            backend.gemm(problem, first, input.view);
            GemmOperands second = first;
            second.a = between.data();
            second.lda = problem.n;
            second.bias = between.data(); // the first row of A
            second.c = static_cast<std::byte *>(results.data()) + static_cast<size_t>(i) * size;
            backend.gemm(problem, second, input.view);
        }
        std::vector<std::byte> bytes(size * kPairs);
        cuda::copy_to_host(bytes.data(), results.data(), bytes.size(), nullptr);
        return bytes;
    };
    const std::vector<std::byte> in_turn = run(false);
    INFO(to_text(problem));
    CHECK(!std::equal(in_turn.begin(), in_turn.begin() + static_cast<std::ptrdiff_t>(size),
                      in_turn.begin() + static_cast<std::ptrdiff_t>(size)));
    CHECK(run(true) == in_turn);
    backend.set_option(Option::DependentLaunch, 0);
}

} // namespace marlin::test
