// What the command line asks for.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace marlin::bench {

struct Options {
    std::vector<std::string> problems;
    std::string grid;          // "" or a name of grid.h
    std::string part = "1/1";  // of the problems
    std::string device;        // "cuda", "cpu"; empty: what there is
    int device_id = 0;         // CUDA
    int threads = 0;           // CPU
    int32_t isa = 0;           // CPU, marlin_cpu_isa
    int64_t kernel = 0;        // MARLIN_OPTION_KERNEL
    bool every_kernel = false; // CUDA: beside the library's choice
    int repeats = 0;           // 0: as many as the time allows
    bool invariant = false;    // MARLIN_MATH_BATCH_INVARIANT
    bool no_peer = false;      // leave OpenBLAS or cuBLAS out
    bool no_rest = false;      // CUDA
    bool strict = false;       // fail where a problem has no result
    std::string json;
    std::string csv;
};

void read_options(CLI::App &app, Options &options);

// A line for people who watch, overwritten by the next; nothing where standard error is no terminal.
void show_progress(size_t done, size_t count, const std::string &what);

} // namespace marlin::bench
