// One GPU problem after the other, shape by shape, beside cuBLAS and the read ceiling.
#include "cuda_run.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <tuple>

#include "cuda_pack_run.h"
#include "cuda_report.h"
#include "date.h"
#include "limit.h"
#include "problems.h"

namespace marlin::bench {
namespace {

// Of outputs rounded to BF16, with room; what is off by more is wrong, and its time means nothing.
constexpr double kLargestError = 0.02;

// Up to so many rows a launch takes a large part of the time: they are timed with dependent launches too.
constexpr int64_t kDecodeRows = 16;

// Everything that outlives a single problem.
class Workbench {
public:
    explicit Workbench(const Options &options)
        : device_(options.device_id), timer_(device_, stream_, options.repeats, !options.no_rest),
          handle_(device_, stream_, options.kernel, options.invariant),
          packer_(options.threads, MARLIN_CPU_ISA_BEST, 0) {
        auto blas = options.no_peer ? nullptr : CuBlas::open(stream_);
        if (blas == nullptr)
            return;
        cublas_ = blas->version();
        peer_.emplace(device_, stream_, timer_, std::move(blas));
    }

    CudaReport describe() const;
    // With the kernel of that number, or the library's choice (0) and cuBLAS beside it.
    CudaResult measure(const Problem &problem, int64_t kernel = 0);
    std::vector<int64_t> other_kernels(const Problem &problem);

private:
    void make_weights(const Problem &problem);

    GpuDevice device_;
    Stream stream_;
    GraphTimer timer_;
    CudaHandle handle_;
    CpuHandle packer_;
    std::string cublas_;
    std::optional<CudaPeer> peer_;
    std::unique_ptr<CudaWeights> weights_;
    ReadTiming read_; // of weights_
};

CudaReport Workbench::describe() const {
    const auto build = nlohmann::json::parse(marlin_build_info());
    CudaReport report;
    report.gpu = device_.name();
    report.driver = device_.driver();
    report.cuda = build.value("cuda", "");
    report.cublas = cublas_;
    report.commit = build.value("commit", "");
    report.version = build.value("version", "");
    report.date = date_now();
    report.max_sm_mhz = device_.max_sm_mhz();
    report.max_memory_mhz = device_.max_memory_mhz();
    report.power_limit_w = device_.power_limit_w();
    return report;
}

void Workbench::make_weights(const Problem &problem) {
    if (weights_ != nullptr && weights_->fit(problem))
        return;
    weights_.reset(); // first, so that two sets never have to fit
    auto weights = std::make_unique<CudaWeights>(device_, handle_, packer_, problem);
    read_ = read_ceiling(device_, stream_, timer_, *weights);
    weights_ = std::move(weights);
}

std::vector<int64_t> Workbench::other_kernels(const Problem &problem) {
    make_weights(problem);
    return CudaSubject(handle_, stream_, *weights_, problem).other_kernels();
}

CudaResult Workbench::measure(const Problem &problem, int64_t kernel) {
    CudaResult result;
    result.problem = problem;
    try {
        make_weights(problem);
        std::optional<OptionSet> forced;
        if (kernel != 0)
            forced.emplace(handle_, MARLIN_OPTION_KERNEL, kernel);
        CudaSubject subject(handle_, stream_, *weights_, problem);
        if (kernel == 0 && peer_ && is_half(problem.a_type))
            result.blas = peer_->time({problem.a_type, problem.m, problem.n, problem.k});
        const auto call = [&](int64_t copy) { subject.multiply(copy); };
        result.timing = timer_.measure(weights_->copies(), call);
        if (problem.m <= kDecodeRows) {
            const OptionSet dependent(handle_, MARLIN_OPTION_DEPENDENT_LAUNCH, 1);
            result.dependent = timer_.measure(weights_->copies(), call);
        }
        subject.poison();
        timer_.run(weights_->copies(), call);
        result.error = subject.error();
        if (!(result.error < kLargestError))
            fail(Status::InternalError, "the largest relative error is {}, expected below {}", result.error,
                 kLargestError);
        result.kernel = subject.kernel();
        result.packed_bytes = weights_->bytes();
        result.copies = weights_->copies();
        result.read = read_;
        result.limit_us = limit_us(problem, weights_->bytes(), read_.us, tensor_peak(device_.name()));
    } catch (const Error &error) {
        result.failed = error.text();
    }
    return result;
}

// Problems of one shape after each other, and in a shape those that share packed weights.
std::vector<size_t> measuring_order(const std::vector<Problem> &problems) {
    const auto key = [&](size_t i) {
        const Problem &p = problems[i];
        return std::tuple(p.n, p.k, p.sparse, p.type, p.scale_type, p.zero_type, p.group_size, p.act_order);
    };
    std::vector<size_t> order(problems.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
    return order;
}

} // namespace

bool cuda_is_here() {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

Output run_on_cuda(const Options &options) {
    if (is_packing(options))
        return run_packing(options);
    const std::vector<Problem> problems = collect_problems(options.problems, options.grid, options.part);
    Workbench workbench(options);
    CudaReport report = workbench.describe();
    std::vector<std::vector<CudaResult>> results(problems.size());
    size_t done = 0;
    for (const size_t i : measuring_order(problems)) {
        show_progress(++done, problems.size(), to_text(problems[i]));
        results[i].push_back(workbench.measure(problems[i]));
        if (!options.every_kernel || !results[i][0].failed.empty())
            continue;
        for (const int64_t kernel : workbench.other_kernels(problems[i]))
            results[i].push_back(workbench.measure(problems[i], kernel));
    }
    show_progress(problems.size(), problems.size(), "done\n");
    for (std::vector<CudaResult> &of_problem : results)
        std::move(of_problem.begin(), of_problem.end(), std::back_inserter(report.results));
    return to_output(report);
}

} // namespace marlin::bench
