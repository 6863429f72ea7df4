// One CPU problem after the other, beside OpenBLAS.
#include "cpu_run.h"

#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "cpu_machine.h"
#include "cpu_report.h"
#include "cpu_subject.h"
#include "date.h"
#include "openblas.h"
#include "problems.h"

namespace marlin::bench {
namespace {

CpuReport describe(const CpuHandle &handle) {
    const auto build = nlohmann::json::parse(marlin_build_info());
    CpuReport report;
    report.cpu = cpu_name();
    report.isa = handle.isa();
    report.threads = handle.threads();
    report.date = date_now();
    report.version = build.value("version", "");
    report.commit = build.value("commit", "");
    return report;
}

} // namespace

Output run_on_cpu(const Options &options) {
    const std::vector<Problem> problems = collect_problems(options.problems, options.grid, options.part);
    const CpuHandle handle(options.threads, options.isa, options.kernel);
    CpuReport report = describe(handle);
    show_progress(0, problems.size(), "reading memory");
    report.read_gbps = read_bandwidth(report.threads);
    const std::unique_ptr<OpenBlas> blas = options.no_peer ? nullptr : OpenBlas::open(report.threads);
    if (blas != nullptr) {
        report.openblas_config = blas->config();
        report.openblas_core = blas->core();
        report.openblas_threads = blas->threads();
    }
    std::map<std::tuple<int64_t, int64_t, int64_t>, PeerTiming> peers; // one measurement a shape
    for (const Problem &problem : problems) {
        show_progress(report.results.size() + 1, problems.size(), to_text(problem));
        CpuResult result;
        result.problem = problem;
        PeerTiming &peer = peers[{problem.m, problem.n, problem.k}];
        if (blas != nullptr && !peer.measured())
            peer = blas->multiply(problem.m, problem.n, problem.k, options.repeats);
        result.openblas = peer;
        CpuSubject subject(handle, problem);
        result.timing = subject.time(options.repeats);
        result.kernel = subject.kernel();
        result.weight_bytes = subject.weight_bytes();
        result.copies = subject.copies();
        result.error = subject.error();
        report.results.push_back(result);
    }
    show_progress(problems.size(), problems.size(), "done\n");
    return {to_table(report), to_json(report), to_csv(report), 0};
}

} // namespace marlin::bench
