// Results as a table, as CSV, and as the JSON object that docs/benchmarks keeps.
#pragma once

#include <string>
#include <vector>

#include "common/problem.h"
#include "openblas.h"
#include "timing.h"

namespace marlin::bench {

struct Result {
    Problem problem;
    std::string kernel;
    Timing timing;
    PeerTiming openblas;
    int64_t weight_bytes = 0;
    int64_t copies = 0;
    double error = 0.0;
};

struct Report {
    std::string cpu;
    std::string isa;
    int threads = 0;
    std::string date;
    std::string commit;
    std::string version;
    double read_gbps = 0.0;
    std::string openblas_config; // empty: not installed
    std::string openblas_core;
    int openblas_threads = 0;
    std::vector<Result> results;
};

std::string to_table(const Report &report);
std::string to_csv(const Report &report);
std::string to_json(const Report &report);

} // namespace marlin::bench
