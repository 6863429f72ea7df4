// marlin_bench: measures problems given as text, beside the limits of the machine and its BLAS in the same run.
#include <cstdio>
#include <fstream>

#include "common/error.h"
#include "cpu_run.h"
#include "cuda_run.h"
#include "options.h"

namespace marlin::bench {
namespace {

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

int run(const Options &options) {
    const bool cuda = options.device == "cuda" || (options.device.empty() && cuda_is_here());
    std::fprintf(stderr, "marlin_bench: measuring on the %s\n", cuda ? "GPU" : "CPU");
    const Output output = cuda ? run_on_cuda(options) : run_on_cpu(options);
    if (options.json != "-" && options.csv != "-")
        std::fputs(output.table.c_str(), stdout);
    write(options.json, output.json);
    write(options.csv, output.csv);
    if (output.missing != 0)
        std::fprintf(stderr, "marlin_bench: %d problems have no result, see above\n", output.missing);
    return options.strict && output.missing != 0 ? 1 : 0;
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
        return run(options);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "marlin_bench: %s\n", error.what());
        return 1;
    }
}
