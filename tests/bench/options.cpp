// The options of marlin_bench, and its progress line.
#include "options.h"

#include <cstdio>
#include <map>
#include <unistd.h>

#include "marlin/marlin.h"

namespace marlin::bench {

void read_options(CLI::App &app, Options &options) {
    const std::map<std::string, int32_t> isas = {{"best", MARLIN_CPU_ISA_BEST},
                                                 {"reference", MARLIN_CPU_ISA_REFERENCE},
                                                 {"avx2", MARLIN_CPU_ISA_AVX2},
                                                 {"avx512", MARLIN_CPU_ISA_AVX512},
                                                 {"avx512_bf16", MARLIN_CPU_ISA_AVX512_BF16}};
    app.add_option(
        "problems", options.problems,
        "problems such as \"gemm f16 s4 g128 m16 n4096 k4096\", or @file with one a line; none: a short list; "
        "GPU: or \"pack gptq g128 n8192 k8192\", \"unpack f16 g128 n8192 k8192\"");
    app.add_option("--grid", options.grid,
                   "a list of problems for GPUs: full has every shape and batch, quick a few, roofline square layers "
                   "up to 32k by 65k tokens, packing every way to pack and unpack a layer")
        ->check(CLI::IsMember({"quick", "full", "roofline", "packing"}));
    app.add_flag_callback(
        "--quick", [&options] { options.grid = "quick"; }, "the same as --grid quick: under a minute");
    app.add_option("--part", options.part, "I/N: measure part I of N of the problems; a shape is never divided");
    app.add_option("--device", options.device, "where to multiply; none given: the GPU where there is one")
        ->check(CLI::IsMember({"cuda", "cpu"}));
    app.add_option("--device-id", options.device_id, "which GPU")->check(CLI::Range(0, 1023));
    app.add_option("--threads", options.threads, "CPU: threads, 0: one a core")->check(CLI::Range(0, 1024));
    app.add_option("--isa", options.isa, "CPU: highest instruction set to use")
        ->transform(CLI::CheckedTransformer(isas));
    auto *const kernel =
        app.add_option("--kernel", options.kernel, "force the kernel of this number, 0: the library's choice");
    app.add_flag("--every-kernel", options.every_kernel,
                 "GPU: after the library's choice every kernel that can run the problem, without cuBLAS")
        ->excludes(kernel);
    app.add_flag("--batch-invariant", options.invariant,
                 "GPU: a row's bits may not depend on the batch (a CPU's never do)");
    app.add_option("--repeat", options.repeats, "CPU: calls, GPU: graph launches to time; 0: as many as time allows")
        ->check(CLI::Range(0, 1000000));
    app.add_flag("--no-openblas,--no-cublas", options.no_peer, "leave the comparison out");
    app.add_flag("--no-rest", options.no_rest, "GPU: measure without pauses; hot GPUs clock down and show it");
    app.add_flag("--strict", options.strict, "exit with 1 when a problem has no result");
    app.add_option("--json", options.json, "file to write the results to, - for standard output");
    app.add_option("--csv", options.csv, "the same as a table of numbers");
}

void show_progress(size_t done, size_t count, const std::string &what) {
    if (isatty(STDERR_FILENO) != 0)
        std::fprintf(stderr, "\r\033[K[%zu/%zu] %s", done, count, what.c_str());
}

} // namespace marlin::bench
