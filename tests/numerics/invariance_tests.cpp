// The same bits: run after run, whatever m, the number of threads and the workspace.
#include <algorithm>

#include "common/error.h"
#include "numerics/run.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::test;

namespace {

Problem read_problem(const char *text) {
    Problem problem = problem_from_text(text);
    if (problem.bias_type == Type::None)
        problem.bias_type = problem.c_type;
    return problem;
}

Layout layout_of(const Problem &problem) {
    return problem.sparse ? Layout::CpuSparse24Draft : Layout::CpuDraft;
}

std::vector<std::vector<std::byte>> rows_of_c(const Operands &operands, int64_t m) {
    std::vector<std::vector<std::byte>> rows;
    for (int64_t row = 0; row < m; ++row)
        rows.push_back(operands.row_of_c(row));
    return rows;
}

} // namespace

TEST_CASE("A row has the same bits whatever m is") {
    for (const char *text :
         {"gemm f16 s4 g128 m40 n70 k300", "gemm f16 u4 g32 m40 n70 k300 bias", "gemm bf16 u4 g64 m40 n70 k300 zf32",
          "gemm f32 s4 gcol m40 n70 k300 cf16", "sp_gemm f16 s4 g128 m40 n70 k300", "sp_gemm bf16 u4 g32 m40 n70 k300",
          "sp_gemm f32 s4 gcol m40 n70 k300 perm"}) {
        const Problem problem = read_problem(text);
        const Weights weights = make_weights(problem, layout_of(problem), Fill::Random, 21);
        for (const int64_t isa : isas_here()) {
            const std::unique_ptr<Backend> backend = make_backend(isa);
            Operands operands(problem, Fill::Random, 22);
            std::vector<std::vector<std::byte>> single;
            for (int64_t m = 0; m < problem.m; ++m) {
                Problem one = problem;
                one.m = 1;
                GemmOperands row = operands.get();
                row.a = operands.row_of_a(m);
                backend->gemm(one, row, weights.view);
                single.push_back(operands.row_of_c(0));
            }
            for (int64_t m = 1; m <= problem.m; ++m) {
                Problem some = problem;
                some.m = m;
                operands.poison_c();
                backend->gemm(some, operands.get(), weights.view);
                INFO(to_text(some) << " # isa " << isa);
                CHECK(std::equal(single.begin(), single.begin() + m, rows_of_c(operands, m).begin()));
            }
        }
    }
}

TEST_CASE("The number of threads does not show in the bits") {
    for (const char *text : {"gemm f16 u4 g128 m19 n330 k300", "sp_gemm bf16 s4 g128 m70 n200 k1000"}) {
        const Problem problem = read_problem(text);
        const Weights weights = make_weights(problem, layout_of(problem), Fill::Random, 31);
        for (const int64_t isa : isas_here()) {
            Operands operands(problem, Fill::Random, 32);
            std::vector<std::vector<std::byte>> first;
            for (const int32_t threads : {1, 2, 3, 7}) {
                const std::unique_ptr<Backend> backend = make_backend(isa, threads);
                CHECK(backend->info().num_threads == threads);
                operands.poison_c();
                backend->gemm(problem, operands.get(), weights.view);
                if (first.empty())
                    first = rows_of_c(operands, problem.m);
                INFO(to_text(problem) << " # isa " << isa << ", threads " << threads);
                CHECK(first == rows_of_c(operands, problem.m));
            }
        }
    }
}

TEST_CASE("A thousand runs have the same bits") {
    for (const char *text : {"gemm f16 s4 g128 m9 n520 k256", "sp_gemm f16 u4 g64 m2 n520 k256"}) {
        const Problem problem = read_problem(text);
        const Weights weights = make_weights(problem, layout_of(problem), Fill::Random, 41);
        const std::unique_ptr<Backend> backend = make_backend(0, 3);
        Operands operands(problem, Fill::Random, 42);
        backend->gemm(problem, operands.get(), weights.view);
        const auto first = rows_of_c(operands, problem.m);
        int different = 0;
        for (int run = 0; run < 1000; ++run) {
            operands.poison_c();
            backend->gemm(problem, operands.get(), weights.view);
            different += first == rows_of_c(operands, problem.m) ? 0 : 1;
        }
        INFO(to_text(problem));
        CHECK(different == 0);
    }
}

TEST_CASE("The workspace changes neither bits nor kernel, and one too small is refused with nothing written") {
    for (const char *text : {"gemm f16 u4 g128 m200 n130 k500", "sp_gemm f32 s4 g64 m200 n130 k500"}) {
        const Problem problem = read_problem(text);
        const Weights weights = make_weights(problem, layout_of(problem), Fill::Random, 51);
        for (const int64_t isa : isas_here()) {
            const std::unique_ptr<Backend> backend = make_backend(isa);
            Operands operands(problem, Fill::Random, 52);
            backend->gemm(problem, operands.get(), weights.view);
            const auto own = rows_of_c(operands, problem.m);
            const KernelPlan plan = backend->plan(problem, weights.view);
            if (plan.slow) {
                CHECK(plan.workspace_size == 0);
                continue;
            }
            REQUIRE(plan.workspace_size > 0);
            // Fenced: one byte more would be seen by the address sanitizer, and here by its value.
            std::vector<std::byte> storage(static_cast<size_t>(plan.workspace_size) + 512, std::byte{0x5a});
            std::byte *workspace = storage.data();
            workspace += (256 - reinterpret_cast<uintptr_t>(workspace) % 256) % 256;
            backend->set_workspace(workspace, plan.workspace_size);
            CHECK(backend->info().workspace_size == plan.workspace_size);
            CHECK(backend->plan(problem, weights.view).number == plan.number);
            operands.poison_c();
            backend->gemm(problem, operands.get(), weights.view);
            CHECK(own == rows_of_c(operands, problem.m));
            CHECK(std::all_of(workspace + plan.workspace_size, storage.data() + storage.size(),
                              [](std::byte b) { return b == std::byte{0x5a}; }));

            backend->set_workspace(workspace, plan.workspace_size - 1);
            operands.poison_c();
            const auto poison = rows_of_c(operands, problem.m);
            try {
                backend->gemm(problem, operands.get(), weights.view);
                FAIL("a workspace that is too small was accepted");
            } catch (const Error &error) {
                CHECK(error.status() == Status::WorkspaceTooSmall);
                CHECK(error.text().find(std::to_string(plan.workspace_size)) != std::string::npos);
                CHECK(error.text().find(std::to_string(plan.workspace_size - 1)) != std::string::npos);
            }
            CHECK(poison == rows_of_c(operands, problem.m));
            backend->set_workspace(nullptr, 0);
            backend->gemm(problem, operands.get(), weights.view);
            CHECK(own == rows_of_c(operands, problem.m));
        }
    }
}
