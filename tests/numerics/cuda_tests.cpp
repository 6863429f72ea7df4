// The dense CUDA kernels against the FP64 oracle.
#include "common/error.h"
#include "cuda/kernel/instance.h"
#include "numerics/cases.h"
#include "numerics/cuda_run.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::test;

TEST_CASE("Every format multiplies right in the CUDA kernel chosen for it", "[gpu]") {
    const auto backend = cuda_backend();
    check_all(*backend, all_formats(false));
}

TEST_CASE("Every number of rows and ragged sizes multiply right on CUDA", "[gpu]") {
    const auto backend = cuda_backend();
    check_all(*backend, all_sizes(false));
    std::vector<Problem> many;
    for (const char *text :
         {"gemm f16 s4 g128 m33 n300 k1000", "gemm f16 s4 g128 m64 n1000 k2056 bias",
          "gemm bf16 s4 g128 m65 n512 k520 sbf16", "gemm f16 u4 g64 m129 n270 k4096",
          "gemm bf16 u4 g32 m200 n64 k3000 zf16", "gemm f16 s4 gcol m300 n130 k777", "gemm f16 s4 g128 m257 n300 k2304",
          "gemm bf16 u4 g128 m100 n257 k640 perm", "gemm f16 s4 g128 m17 n513 k4096 lda4103"})
        many.push_back(from_text(text));
    check_all(*backend, many);
}

TEST_CASE("Problems drawn from all fields at once multiply right on CUDA", "[gpu]") {
    const auto backend = cuda_backend();
    check_all(*backend, drawn(false, 150, 21));
}

TEST_CASE("Every dense CUDA kernel multiplies what it can run right", "[gpu][reduced]") {
    const auto backend = cuda_backend();
    int ran = 0;
    for (const cuda::Instance *instance : cuda::instances()) {
        backend->set_option(Option::Kernel, instance->number);
        bool used = false;
        for (const char *rest : {"s4 g128 m37 n333 k1300", "s4 g128 m37 n333 k1300 sbf16", "u4 g64 m21 n200 k700 zf32",
                                 "u4 g32 m70 n264 k2000", "s4 gcol m5 n100 k500"}) {
            const Problem problem = from_text(fmt::format("gemm {} {}", to_string(instance->a_type), rest));
            std::string wrong;
            try {
                wrong = check_on_device(*backend, problem, Fill::Random, 3);
            } catch (const Error &error) {
                CHECK(error.status() == Status::NotSupported);
                continue;
            }
            used = true;
            CHECK(wrong == "");
        }
        ran += used ? 1 : 0;
    }
    // A GPU with less shared memory than an H200 cannot run them all.
    CHECK(ran > 10);
}

TEST_CASE("A row's bits do not depend on the batch when CUDA is told so", "[gpu]") {
    const auto backend = cuda_backend();
    backend->set_option(Option::Math, static_cast<int64_t>(Math::BatchInvariant));
    const Problem all = from_text("gemm f16 s4 g128 m70 n400 k2048");
    const Weights weights = make_weights(all, Layout::DenseDraft, Fill::Random, 8);
    Operands operands(all, Fill::Random, 9);
    OnDevice device(all, operands, weights);
    backend->gemm(all, device.get, device.view);
    device.fetch_c(operands);
    for (int64_t m = 0; m < all.m; m += 3) {
        const std::vector<std::byte> in_batch = operands.row_of_c(m);
        Problem one = all;
        one.m = 1;
        GemmOperands of_row = device.get;
        of_row.a = static_cast<const std::byte *>(device.get.a) + m * all.lda * 2;
        backend->gemm(one, of_row, device.view);
        std::vector<std::byte> alone(in_batch.size());
        cuda::copy_to_host(alone.data(), of_row.c, alone.size(), nullptr);
        CHECK(alone == in_batch);
        device.send_c(operands);
    }
}

TEST_CASE("A thousand CUDA multiplies give the same bits", "[gpu]") {
    const auto backend = cuda_backend();
    for (const char *text : {"gemm f16 s4 g128 m7 n512 k2048", "gemm f16 s4 g128 m130 n512 k4096"}) {
        const Problem problem = from_text(text);
        const Weights weights = make_weights(problem, Layout::DenseDraft, Fill::Random, 4);
        Operands operands(problem, Fill::Random, 5);
        OnDevice device(problem, operands, weights);
        std::vector<std::byte> first(device.c.size());
        std::vector<std::byte> again(device.c.size());
        for (int run = 0; run < 1000; ++run) {
            backend->gemm(problem, device.get, device.view);
            cuda::copy_to_host(run == 0 ? first.data() : again.data(), device.c.data(), device.c.size(), nullptr);
            if (run > 0 && first != again) {
                CHECK(run == -1);
                break;
            }
        }
    }
}
