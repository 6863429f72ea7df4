// Asking the system, and reading memory as fast as it comes.
#include "cpu_machine.h"

#include <algorithm>
#include <fstream>
#include <thread>
#include <unistd.h>
#include <vector>

#include "timing.h"

namespace marlin::bench {
namespace {

int64_t last_level_cache() {
    for (const int name : {_SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE}) {
        const long size = sysconf(name);
        if (size > 0)
            return size;
    }
    return int64_t{32} << 20; // not told: as large as most
}

uint64_t sum(const uint64_t *begin, const uint64_t *end) {
    uint64_t sums[16] = {};
    for (const uint64_t *p = begin; p + 16 <= end; p += 16)
        for (int i = 0; i < 16; ++i)
            sums[i] += p[i];
    uint64_t total = 0;
    for (const uint64_t s : sums)
        total += s;
    return total;
}

} // namespace

int64_t copies_to_rotate(int64_t size) {
    return std::max<int64_t>(1, (4 * last_level_cache() + size - 1) / size);
}

std::string cpu_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.rfind("model name", 0) == 0)
            return line.substr(std::min(line.size(), line.find(':') + 2));
    return "unknown";
}

double read_bandwidth(int threads) {
    const int64_t words = std::max<int64_t>(int64_t{256} << 20, 4 * last_level_cache()) / 8;
    const std::vector<uint64_t> memory(static_cast<size_t>(words), 1);
    std::vector<uint64_t> results(static_cast<size_t>(threads) * 8); // a cache line each
    const Timing timing = measure(15, [&](int64_t) {
        std::vector<std::thread> readers;
        for (int64_t i = 0; i < threads; ++i)
            readers.emplace_back([&, i] {
                results[static_cast<size_t>(i) * 8] =
                    sum(memory.data() + words * i / threads, memory.data() + words * (i + 1) / threads);
            });
        for (std::thread &reader : readers)
            reader.join();
    });
    uint64_t total = 0;
    for (const uint64_t result : results)
        total += result;
    return total == 0 ? 0.0 : static_cast<double>(words) * 8.0 / timing.best_us * 1e-3;
}

} // namespace marlin::bench
