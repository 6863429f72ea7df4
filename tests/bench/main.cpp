// marlin_bench: measures problems given as text, beside memory bandwidth and OpenBLAS in the same run.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unistd.h>

#include "common/error.h"
#include "machine.h"
#include "openblas.h"
#include "problems.h"
#include "report.h"
#include "subject.h"

namespace marlin::bench {
namespace {

struct Options {
    std::vector<std::string> problems;
    std::string device = "cpu";
    int threads = 0;
    int32_t isa = MARLIN_CPU_ISA_BEST;
    int repeats = 0;
    bool no_openblas = false;
    std::string json;
    std::string csv;
};

void read_options(CLI::App &app, Options &options) {
    const std::map<std::string, int32_t> isas = {{"best", MARLIN_CPU_ISA_BEST},
                                                 {"reference", MARLIN_CPU_ISA_REFERENCE},
                                                 {"avx2", MARLIN_CPU_ISA_AVX2},
                                                 {"avx512", MARLIN_CPU_ISA_AVX512},
                                                 {"avx512_bf16", MARLIN_CPU_ISA_AVX512_BF16}};
    app.add_option("problems", options.problems,
                   "problems such as \"gemm f16 s4 g128 m16 n4096 k4096\", or @file with one a line; none: the list of "
                   "docs/performance.md");
    app.add_option("--device", options.device, "where to multiply")->check(CLI::IsMember({"cpu"}));
    app.add_option("--threads", options.threads, "threads, 0: one a core")->check(CLI::Range(0, 1024));
    app.add_option("--isa", options.isa, "highest instruction set to use")->transform(CLI::CheckedTransformer(isas));
    app.add_option("--repeat", options.repeats, "calls to time, 0: half a second of them")
        ->check(CLI::Range(0, 1000000));
    app.add_flag("--no-openblas", options.no_openblas, "leave the comparison out");
    app.add_option("--json", options.json, "file to write the results to, - for standard output");
    app.add_option("--csv", options.csv, "the same as a table of numbers");
}

void show_progress(size_t done, size_t count, const std::string &what) {
    if (isatty(STDERR_FILENO) != 0)
        std::fprintf(stderr, "\r\033[K[%zu/%zu] %s", done, count, what.c_str());
}

void write(const std::string &path, const std::string &text) {
    if (path.empty())
        return;
    if (path == "-") {
        std::fputs(text.c_str(), stdout);
        return;
    }
    std::ofstream file(path);
    if (!(file << text))
        fail(Status::InvalidArgument, "{} cannot be written", path);
}

Report run(const Options &options) {
    const std::vector<Problem> problems = collect_problems(options.problems);
    const Handle handle(options.threads, options.isa);
    const auto build = nlohmann::json::parse(marlin_build_info());
    Report report;
    report.cpu = cpu_name();
    report.isa = handle.isa();
    report.threads = handle.threads();
    report.date = date_now();
    report.version = build.value("version", "");
    report.commit = build.value("commit", "");
    show_progress(0, problems.size(), "reading memory");
    report.read_gbps = read_bandwidth(report.threads);
    const std::unique_ptr<OpenBlas> blas = options.no_openblas ? nullptr : OpenBlas::open(report.threads);
    if (blas != nullptr) {
        report.openblas_config = blas->config();
        report.openblas_core = blas->core();
        report.openblas_threads = blas->threads();
    }
    std::map<std::tuple<int64_t, int64_t, int64_t>, PeerTiming> peers; // one measurement a shape
    for (const Problem &problem : problems) {
        show_progress(report.results.size() + 1, problems.size(), to_text(problem));
        Result result;
        result.problem = problem;
        PeerTiming &peer = peers[{problem.m, problem.n, problem.k}];
        if (blas != nullptr && !peer.measured())
            peer = blas->multiply(problem.m, problem.n, problem.k, options.repeats);
        result.openblas = peer;
        Subject subject(handle, problem);
        result.timing = subject.time(options.repeats);
        result.kernel = subject.kernel();
        result.weight_bytes = subject.weight_bytes();
        result.copies = subject.copies();
        result.error = subject.error();
        report.results.push_back(result);
    }
    show_progress(problems.size(), problems.size(), "done\n");
    return report;
}

} // namespace
} // namespace marlin::bench

int main(int argc, char **argv) {
    using namespace marlin::bench;
    CLI::App app("Measures multiplies by 4-bit weights; times are medians, weights are rotated past the caches.");
    Options options;
    read_options(app, options);
    CLI11_PARSE(app, argc, argv);
    try {
        const Report report = run(options);
        if (options.json != "-" && options.csv != "-")
            std::fputs(to_table(report).c_str(), stdout);
        write(options.json, to_json(report));
        write(options.csv, to_csv(report));
    } catch (const std::exception &error) {
        std::fprintf(stderr, "marlin_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
