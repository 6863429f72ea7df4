// One packing problem after the other; caches are emptied before every call.
#include "cuda_pack_run.h"

#include <nlohmann/json.hpp>

#include "common/error.h"
#include "cuda/device.h"
#include "cuda_pack_subject.h"
#include "date.h"
#include "marlin/marlin.h"
#include "timing.h"

namespace marlin::bench {
namespace {

constexpr int64_t kCopySize = int64_t{1} << 30; // far beyond any cache
constexpr int kWarmUps = 2;

struct PackResult {
    std::string problem;
    std::string failed;
    double us = 0.0;
    double us_min = 0.0;
    double gbps = 0.0;     // read and written
    double gweights = 0.0; // a second
    double share = 0.0;    // of the bandwidth of a copy
};

class PackBench {
public:
    explicit PackBench(const Options &options)
        : guard_(options.device_id), device_id_(options.device_id), calls_(options.repeats == 0 ? 7 : options.repeats),
          from_(device_id_, kCopySize), to_(device_id_, kCopySize) {
        cuda::fill_bytes(from_.data(), 1, kCopySize, nullptr);
        const Timing timing = bench::measure(20, [&](int64_t) { copy(kCopySize); });
        copy_gbps_ = 2.0 * kCopySize / timing.median_us * 1e-3;
    }

    double copy_gbps() const { return copy_gbps_; }
    PackResult measure(const std::string &text);

private:
    void copy(int64_t size) {
        cuda::copy_on_device(to_.data(), from_.data(), static_cast<size_t>(size), nullptr);
        cuda::synchronize(nullptr);
    }

    cuda::DeviceGuard guard_;
    int device_id_;
    int calls_;
    cuda::DeviceMemory from_;
    cuda::DeviceMemory to_;
    double copy_gbps_ = 0.0;
};

PackResult PackBench::measure(const std::string &text) {
    PackResult result;
    result.problem = text;
    try {
        const PackProblem problem = pack_problem(text);
        PackSubject subject(problem, device_id_);
        std::vector<double> times;
        for (int i = -kWarmUps; i < calls_; ++i) {
            copy(kCopySize / 4); // leaves nothing of the layer in the caches
            const auto start = std::chrono::steady_clock::now();
            subject.run();
            const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
            if (i >= 0)
                times.push_back(time.count());
        }
        std::sort(times.begin(), times.end());
        const auto weights = static_cast<double>(problem.request.k) * static_cast<double>(problem.request.n);
        result.us = times[times.size() / 2];
        result.us_min = times[0];
        result.gbps = static_cast<double>(subject.bytes()) / result.us * 1e-3;
        result.gweights = weights / result.us * 1e-3;
        result.share = result.gbps / copy_gbps_;
    } catch (const Error &error) {
        result.failed = error.text();
    }
    return result;
}

nlohmann::ordered_json to_json(const PackResult &r) {
    if (!r.failed.empty())
        return {{"problem", r.problem}, {"failed", r.failed}};
    return {{"problem", r.problem}, {"us", r.us},       {"us_min", r.us_min},
            {"gbps", r.gbps},       {"share", r.share}, {"gweights_per_s", r.gweights}};
}

} // namespace

bool is_packing(const Options &options) {
    const auto begins_with = [&](const char *word) {
        return !options.problems.empty() && options.problems[0].rfind(word, 0) == 0;
    };
    return options.grid == "packing" || begins_with("pack ") || begins_with("unpack ");
}

Output run_packing(const Options &options) {
    const cuda::DeviceInfo device = cuda::open_device(options.device_id);
    const auto build = nlohmann::json::parse(marlin_build_info());
    PackBench bench(options);
    Output output;
    nlohmann::ordered_json json = {
        {"gpu", device.name}, {"commit", build.value("commit", "")}, {"version", build.value("version", "")},
        {"date", date_now()}, {"copy_gbps", bench.copy_gbps()},      {"results", nlohmann::ordered_json::array()}};
    output.table = fmt::format("{}: a copy moves {:.0f} GB/s, read and written\n", device.name, bench.copy_gbps());
    output.table += fmt::format("{:<44} {:>9} {:>9} {:>7} {:>6} {:>11}\n", "problem", "us", "us min", "GB/s", "share",
                                "Gweights/s");
    output.csv = "problem,us,us_min,gbps,share,gweights_per_s\n";
    const std::vector<std::string> &problems = options.problems.empty() ? pack_problems() : options.problems;
    for (size_t i = 0; i < problems.size(); ++i) {
        show_progress(i, problems.size(), problems[i]);
        const PackResult r = bench.measure(problems[i]);
        json["results"].push_back(to_json(r));
        if (!r.failed.empty()) {
            ++output.missing;
            output.table += fmt::format("{:<44} no result: {}\n", r.problem, r.failed);
            output.csv += fmt::format("{},,,,,\n", r.problem);
            continue;
        }
        output.table += fmt::format("{:<44} {:>9.1f} {:>9.1f} {:>7.0f} {:>5.0f}% {:>11.1f}\n", r.problem, r.us,
                                    r.us_min, r.gbps, r.share * 100.0, r.gweights);
        output.csv += fmt::format("{},{:.2f},{:.2f},{:.1f},{:.4f},{:.2f}\n", r.problem, r.us, r.us_min, r.gbps, r.share,
                                  r.gweights);
    }
    show_progress(problems.size(), problems.size(), "done\n");
    output.json = json.dump(1) + "\n";
    return output;
}

} // namespace marlin::bench
