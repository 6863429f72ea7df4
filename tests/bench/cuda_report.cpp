// The three forms of a GPU report.
#include "cuda_report.h"

#include <nlohmann/json.hpp>

#include "common/error.h"
#include "limit.h"

namespace marlin::bench {
namespace {

// Figures derived from a result: one place, so that the forms agree.
struct Figures {
    double speedup; // over cuBLAS, 0: not measured
    double gbps;    // of packed weights, activations and output
    double tflops;  // 2 m n k, pruned weights counted: what the multiply stands for
    double share;   // of the limit
};

Figures figures_of(const CudaResult &r) {
    const double us = r.timing.us;
    Figures figures = {};
    figures.speedup = r.blas.timing.us / us;
    figures.gbps = static_cast<double>(r.packed_bytes + bytes_beside_weights(r.problem)) / us * 1e-3;
    figures.tflops = operations(r.problem) / us * 1e-6;
    figures.share = r.limit_us / us;
    return figures;
}

bool compared(const CudaResult &r) {
    return r.blas.timing.launches != 0;
}

std::string to_table(const CudaReport &report) {
    std::string text = fmt::format("{}, driver {}, CUDA {}, cuBLAS {}\n", report.gpu, report.driver, report.cuda,
                                   report.cublas.empty() ? "not measured" : report.cublas);
    text += fmt::format("{:<46} {:<42} {:>9} {:>9} {:>8} {:>9} {:>6} {:>7} {:>7} {:>8} {:>5}\n", "problem", "kernel",
                        "us", "cuBLAS", "speed-up", "limit us", "share", "GB/s", "TFLOP/s", "error", "MHz");
    for (const CudaResult &r : report.results) {
        if (!r.failed.empty()) {
            text += fmt::format("{:<46} no result: {}\n", to_text(r.problem), r.failed);
            continue;
        }
        const Figures f = figures_of(r);
        text += fmt::format("{:<46} {:<42} {:>9.2f} {:>9} {:>8} {:>9.2f} {:>5.0f}% {:>7.0f} {:>7.1f} {:>8.1e} {:>5}\n",
                            to_text(r.problem), r.kernel, r.timing.us,
                            compared(r) ? fmt::format("{:.2f}", r.blas.timing.us) : "-",
                            compared(r) ? fmt::format("{:.2f}x", f.speedup) : "-", r.limit_us, f.share * 100.0, f.gbps,
                            f.tflops, r.error, r.timing.sm_mhz);
    }
    return text;
}

std::string to_csv(const CudaReport &report) {
    std::string text =
        "problem,kernel,us,us_min,us_max,cublas_us,speedup,read_us,limit_us,share,gbps,tflops,max_relative_error\n";
    for (const CudaResult &r : report.results) {
        if (!r.failed.empty()) {
            text += fmt::format("{},,,,,,,,,,,,\n", to_text(r.problem));
            continue;
        }
        const Figures f = figures_of(r);
        text += fmt::format("{},{},{:.3f},{:.3f},{:.3f},{},{},{:.3f},{:.3f},{:.4f},{:.1f},{:.2f},{:.3e}\n",
                            to_text(r.problem), r.kernel, r.timing.us, r.timing.us_min, r.timing.us_max,
                            compared(r) ? fmt::format("{:.3f}", r.blas.timing.us) : "",
                            compared(r) ? fmt::format("{:.4f}", f.speedup) : "", r.read.us, r.limit_us, f.share, f.gbps,
                            f.tflops, r.error);
    }
    return text;
}

nlohmann::ordered_json to_json(const CudaResult &r) {
    nlohmann::ordered_json json;
    json["problem"] = to_text(r.problem);
    if (!r.failed.empty()) {
        json["failed"] = r.failed;
        return json;
    }
    json["kernel"] = r.kernel;
    json["us"] = r.timing.us;
    json["us_min"] = r.timing.us_min;
    json["us_max"] = r.timing.us_max;
    if (r.dependent.launches != 0)
        json["dependent_launch_us"] = r.dependent.us;
    json["cublas_us"] = nullptr;
    if (compared(r)) {
        json["cublas_us"] = r.blas.timing.us;
        json["cublas"] = r.blas.name;
    }
    json["read_us"] = r.read.us;
    json["read_kernel"] = r.read.kernel;
    json["read_measured_us"] = r.read.measured_us;
    json["limit_us"] = r.limit_us;
    json["share"] = figures_of(r).share;
    json["max_relative_error"] = r.error;
    json["packed_bytes"] = r.packed_bytes;
    json["copies"] = r.copies;
    json["sm_mhz"] = r.timing.sm_mhz;
    return json;
}

std::string to_json(const CudaReport &report) {
    nlohmann::ordered_json json;
    json["gpu"] = report.gpu;
    json["driver"] = report.driver;
    json["cuda"] = report.cuda;
    json["cublas"] = report.cublas;
    json["version"] = report.version;
    json["commit"] = report.commit;
    json["date"] = report.date;
    json["clocks"] = {{"max_sm_mhz", report.max_sm_mhz},
                      {"max_memory_mhz", report.max_memory_mhz},
                      {"power_limit_w", report.power_limit_w}};
    json["results"] = nlohmann::ordered_json::array();
    for (const CudaResult &r : report.results)
        json["results"].push_back(to_json(r));
    return json.dump(1) + "\n";
}

} // namespace

Output to_output(const CudaReport &report) {
    Output output = {to_table(report), to_json(report), to_csv(report), 0};
    for (const CudaResult &r : report.results)
        output.missing += r.failed.empty() ? 0 : 1;
    return output;
}

} // namespace marlin::bench
