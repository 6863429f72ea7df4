// The three forms of a CPU report.
#include "cpu_report.h"

#include <nlohmann/json.hpp>

#include "common/error.h"
#include "limit.h"

namespace marlin::bench {
namespace {

// Figures derived from a result: one place, so that the forms agree.
struct Figures {
    double speedup; // over the quicker way of OpenBLAS, 0: not measured
    double gbps;    // of packed weights
    double share;   // of the read bandwidth
    double gflops;
};

Figures figures_of(const CpuReport &report, const CpuResult &r) {
    const double us = r.timing.median_us;
    Figures figures = {};
    figures.speedup = r.openblas.measured() ? r.openblas.quicker().median_us / us : 0.0;
    figures.gbps = static_cast<double>(r.weight_bytes) / us * 1e-3;
    figures.share = report.read_gbps > 0.0 ? figures.gbps / report.read_gbps : 0.0;
    figures.gflops = operations(r.problem) / us * 1e-3;
    return figures;
}

} // namespace

std::string to_table(const CpuReport &report) {
    std::string text =
        fmt::format("{}, {} threads, {}, read {:.1f} GB/s, OpenBLAS: {}\n", report.cpu, report.threads, report.isa,
                    report.read_gbps,
                    report.openblas_config.empty()
                        ? std::string("not installed")
                        : fmt::format("{} kernels, {} threads", report.openblas_core, report.openblas_threads));
    text += fmt::format("{:<44} {:<20} {:>10} {:>10} {:>8} {:>7} {:>6} {:>8} {:>9}\n", "problem", "kernel", "us",
                        "OpenBLAS", "speed-up", "GB/s", "share", "GFLOP/s", "error");
    for (const CpuResult &r : report.results) {
        const Figures f = figures_of(report, r);
        const bool compared = r.openblas.measured();
        text += fmt::format(
            "{:<44} {:<20} {:>10.1f} {:>10} {:>8} {:>7.1f} {:>5.0f}% {:>8.1f} {:>9.1e}\n", to_text(r.problem), r.kernel,
            r.timing.median_us, compared ? fmt::format("{:.1f}", r.openblas.quicker().median_us) : "-",
            compared ? fmt::format("{:.2f}x", f.speedup) : "-", f.gbps, f.share * 100.0, f.gflops, r.error);
    }
    return text;
}

std::string to_csv(const CpuReport &report) {
    std::string text = "problem,kernel,us,us_best,openblas_us,speedup,gbps,share,gflops,error\n";
    for (const CpuResult &r : report.results) {
        const Figures f = figures_of(report, r);
        text += fmt::format("{},{},{:.2f},{:.2f},{:.2f},{:.3f},{:.2f},{:.3f},{:.2f},{:.3e}\n", to_text(r.problem),
                            r.kernel, r.timing.median_us, r.timing.best_us, r.openblas.quicker().median_us, f.speedup,
                            f.gbps, f.share, f.gflops, r.error);
    }
    return text;
}

std::string to_json(const CpuReport &report) {
    nlohmann::ordered_json json;
    json["cpu"] = report.cpu;
    json["isa"] = report.isa;
    json["threads"] = report.threads;
    json["date"] = report.date;
    json["version"] = report.version;
    json["commit"] = report.commit;
    json["read_gbps"] = report.read_gbps;
    json["openblas"] = nullptr;
    if (!report.openblas_config.empty())
        json["openblas"] = {{"config", report.openblas_config},
                            {"core", report.openblas_core},
                            {"threads", report.openblas_threads},
                            {"type", "f32"}};
    json["results"] = nlohmann::ordered_json::array();
    for (const CpuResult &r : report.results) {
        const Figures f = figures_of(report, r);
        nlohmann::ordered_json result;
        result["problem"] = to_text(r.problem);
        result["kernel"] = r.kernel;
        result["us"] = r.timing.median_us;
        result["us_best"] = r.timing.best_us;
        result["repeats"] = r.timing.repeats;
        result["weight_bytes"] = r.weight_bytes;
        result["copies"] = r.copies;
        result["gbps"] = f.gbps;
        result["share_of_read"] = f.share;
        result["gflops"] = f.gflops;
        result["error"] = r.error;
        if (r.openblas.measured()) {
            result["openblas_us"] = r.openblas.quicker().median_us;
            result["openblas_us_best"] = r.openblas.quicker().best_us;
            result["openblas_nxk_us"] = r.openblas.n_by_k.median_us;
            result["openblas_kxn_us"] = r.openblas.k_by_n.median_us;
            result["speedup"] = f.speedup;
        }
        json["results"].push_back(result);
    }
    return json.dump(1) + "\n";
}

} // namespace marlin::bench
