// CPU results as a table, as CSV, and as the JSON object that docs/benchmarks keeps.
#pragma once

#include <string>
#include <vector>

#include "common/problem.h"
#include "openblas.h"
#include "timing.h"

namespace marlin::bench {

struct CpuResult {
    Problem problem;
    std::string kernel;
    Timing timing;
    PeerTiming openblas;
    int64_t weight_bytes = 0;
    int64_t copies = 0;
    double error = 0.0;
};

struct CpuReport {
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
    std::vector<CpuResult> results;
};

std::string to_table(const CpuReport &report);
std::string to_csv(const CpuReport &report);
std::string to_json(const CpuReport &report);

} // namespace marlin::bench
