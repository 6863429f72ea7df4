// GPU results as a table, as CSV, and as the JSON object that docs/benchmarks keeps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/problem.h"
#include "cuda_ceiling.h"
#include "cuda_peer.h"
#include "output.h"

namespace marlin::bench {

struct CudaResult {
    Problem problem;
    std::string failed; // why there is no result; empty: there is one
    std::string kernel;
    GraphTiming timing;
    GraphTiming dependent; // with MARLIN_OPTION_DEPENDENT_LAUNCH; no launches: not measured
    BlasTiming blas;       // no launches: not measured
    ReadTiming read;
    double limit_us = 0.0;
    int64_t packed_bytes = 0;
    int64_t copies = 0;
    double error = 0.0;
};

struct CudaReport {
    std::string gpu;
    std::string driver;
    std::string cuda;
    std::string cublas; // empty: not installed or not wanted
    std::string commit;
    std::string version;
    std::string date;
    int max_sm_mhz = 0;
    int max_memory_mhz = 0;
    int power_limit_w = 0;
    std::vector<CudaResult> results;
};

Output to_output(const CudaReport &report);

} // namespace marlin::bench
