// Capturing graphs and timing their launches by events.
#include "cuda_timer.h"

#include <algorithm>
#include <cmath>
#include <thread>
#include <vector>

#include "cuda_kernels.h"

namespace marlin::bench {
namespace {

class Graph {
public:
    Graph(const Stream &stream, int64_t copies, int64_t rounds, const GraphTimer::Call &call) : stream_(stream) {
        check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
        cudaGraph_t graph = nullptr;
        try {
            for (int64_t i = 0; i < copies * rounds; ++i)
                call(i % copies);
        } catch (...) {
            cudaStreamEndCapture(stream.get(), &graph); // the stream must leave capture, whatever the graph is
            cudaGraphDestroy(graph);
            throw;
        }
        check(cudaStreamEndCapture(stream.get(), &graph), "cudaStreamEndCapture");
        const cudaError_t error = cudaGraphInstantiate(&graph_, graph, 0);
        cudaGraphDestroy(graph);
        check(error, "cudaGraphInstantiate");
        calls_ = copies * rounds;
    }
    ~Graph() { cudaGraphExecDestroy(graph_); }
    Graph(const Graph &) = delete;
    Graph &operator=(const Graph &) = delete;

    int64_t calls() const { return calls_; }
    void launch() const { check(cudaGraphLaunch(graph_, stream_.get()), "cudaGraphLaunch"); }

private:
    const Stream &stream_;
    cudaGraphExec_t graph_ = nullptr;
    int64_t calls_ = 0;
};

class Event {
public:
    Event() { check(cudaEventCreate(&event_), "cudaEventCreate"); }
    ~Event() { cudaEventDestroy(event_); }
    Event(const Event &) = delete;
    Event &operator=(const Event &) = delete;

    void record(const Stream &stream) const { check(cudaEventRecord(event_, stream.get()), "cudaEventRecord"); }
    void synchronize() const { check(cudaEventSynchronize(event_), "cudaEventSynchronize"); }
    double microseconds_since(const Event &before) const {
        float milliseconds = 0.0f;
        check(cudaEventElapsedTime(&milliseconds, before.event_, event_), "cudaEventElapsedTime");
        return static_cast<double>(milliseconds) * 1e3;
    }

private:
    cudaEvent_t event_ = nullptr;
};

constexpr double kGraphUs = 400.0; // a graph this long hides the start of its launch
// For all launches of a measurement, where that allows enough of them. Some 50 ms of large products later the power
// limit takes 5 to 9 % of the clock: a measurement that reaches into that tells how long it was.
constexpr double kBudgetUs = 30e3;
constexpr double kLongUs = 10e3; // a launch beside whose time that of starting up is nothing
constexpr double kFewest = 3.0;  // launches of a measurement
constexpr double kMost = 15.0;
constexpr int kSpinMilliseconds = 15;

// A rest before the next measurement: what ran at the power limit leaves less clock to whoever comes next. cuBLAS comes
// first, after checks on the host, which are a rest as well.
std::chrono::duration<double> rest_after(std::chrono::duration<double> last) {
    const std::chrono::duration<double> work = last - std::chrono::milliseconds(kSpinMilliseconds);
    return std::min(std::max(last, 4 * work), std::chrono::duration<double>(1.0));
}

// How fast the SMs ran between two points of a stream. NVML cannot say: it tells the clock that was asked for, and
// under the load of tensor cores the SMs run slower than that.
class SmClocks {
public:
    SmClocks(const GpuDevice &device, const Stream &stream)
        : device_(device), stream_(stream), read_(int64_t{2} * kMostSms * int64_t{sizeof(SmClock)}) {
        check(cudaMemsetAsync(read_.data(), 0, static_cast<size_t>(read_.size()), stream.get()), "cudaMemsetAsync");
    }
    void begin() const { read(0); }
    void end() const { read(1); }
    // Of the median SM; behind both.
    int mhz() const {
        std::vector<SmClock> clocks(2 * kMostSms);
        check(cudaMemcpyAsync(clocks.data(), read_.data(), static_cast<size_t>(read_.size()), cudaMemcpyDeviceToHost,
                              stream_.get()),
              "cudaMemcpyAsync");
        stream_.synchronize();
        std::vector<double> mhz;
        for (size_t sm = 0; sm < kMostSms; ++sm) {
            const SmClock &before = clocks[sm];
            const SmClock &after = clocks[kMostSms + sm];
            if (before.nanoseconds != 0 && after.nanoseconds > before.nanoseconds)
                mhz.push_back(static_cast<double>(after.clocks - before.clocks) * 1e3 /
                              static_cast<double>(after.nanoseconds - before.nanoseconds));
        }
        if (mhz.empty())
            return 0;
        std::sort(mhz.begin(), mhz.end());
        return static_cast<int>(std::lround(mhz[mhz.size() / 2]));
    }

private:
    void read(int nth) const {
        auto *const of_sm = reinterpret_cast<SmClock *>(read_.data()) + nth * kMostSms;
        check(read_clocks(of_sm, device_.sm_count(), stream_.get()), "reading clocks");
    }

    const GpuDevice &device_;
    const Stream &stream_;
    DeviceBytes read_;
};

// Microseconds a call of a launch after one to warm up, which is enough of long ones.
double glance_at(const Graph &graph, const Stream &stream) {
    double us = 0.0;
    for (int launch = 0; launch < 2 && us < kLongUs; ++launch) {
        const Event before;
        const Event after;
        before.record(stream);
        graph.launch();
        after.record(stream);
        stream.synchronize();
        us = after.microseconds_since(before);
    }
    return us / static_cast<double>(graph.calls());
}

} // namespace

double GraphTimer::glance(int64_t copies, const Call &call) {
    const Graph graph(stream_, copies, 1, call);
    return glance_at(graph, stream_);
}

void GraphTimer::run(int64_t copies, const Call &call) {
    const Graph graph(stream_, copies, 1, call);
    graph.launch();
    stream_.synchronize();
}

GraphTiming GraphTimer::measure(int64_t copies, const Call &call) {
    const double round_us = glance(copies, call) * static_cast<double>(copies);
    const auto rounds = static_cast<int64_t>(std::clamp(kGraphUs / round_us, 0.0, 63.0)) + 1;
    const Graph graph(stream_, copies, rounds, call);
    const auto calls = static_cast<double>(graph.calls());
    const int launches =
        launches_ != 0
            ? launches_
            : static_cast<int>(std::clamp(kBudgetUs / (round_us * static_cast<double>(rounds)), kFewest, kMost));
    std::vector<Event> events(static_cast<size_t>(launches) + 1);
    const SmClocks clocks(device_, stream_);

    if (rest_)
        std::this_thread::sleep_for(rest_after(last_));
    const auto start = std::chrono::steady_clock::now();
    check(spin(kSpinMilliseconds, device_.sm_count(), stream_.get()), "spinning");
    graph.launch();
    clocks.begin();
    events[0].record(stream_);
    for (int i = 1; i <= launches; ++i) {
        graph.launch();
        events[static_cast<size_t>(i)].record(stream_);
    }
    clocks.end();
    stream_.synchronize();
    last_ = std::chrono::steady_clock::now() - start;

    GraphTiming timing;
    timing.sm_mhz = clocks.mhz();
    std::vector<double> times;
    for (size_t i = 1; i < events.size(); ++i)
        times.push_back(events[i].microseconds_since(events[i - 1]) / calls);
    std::sort(times.begin(), times.end());
    timing.us = times[times.size() / 2];
    timing.us_min = times.front();
    timing.us_max = times.back();
    timing.launches = launches;
    return timing;
}

} // namespace marlin::bench
