// main() of every test executable: skips GPU tests where there is no GPU, and leaves the counts of a run in a file.
#define CATCH_CONFIG_RUNNER
#include "support/catch.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

namespace {

constexpr int exit_skipped = 77; // what CTest is told to take for "skipped"

// Asks the driver itself, not the library under test: a library that wrongly reports no GPU must not skip its tests.
bool gpu_present() {
    void *driver = dlopen("libcuda.so.1", RTLD_NOW);
    if (driver == nullptr)
        return false;
    const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
    const auto count_devices = reinterpret_cast<int (*)(int *)>(dlsym(driver, "cuDeviceGetCount"));
    int count = 0;
    return init != nullptr && count_devices != nullptr && init(0) == 0 && count_devices(&count) == 0 && count > 0;
}

void write_counts(std::size_t passed, std::size_t failed, std::size_t skipped) {
    const char *path = std::getenv("MARLIN_TEST_COUNTS");
    if (path == nullptr)
        return;
    std::FILE *file = std::fopen(path, "w");
    if (file == nullptr) {
        std::perror(path);
        std::exit(2);
    }
    std::fprintf(file, "{\"passed\": %zu, \"failed\": %zu, \"skipped\": %zu}\n", passed, failed, skipped);
    std::fclose(file);
}

#if __has_include(<catch2/catch_all.hpp>)
using ListenerBase = Catch::EventListenerBase;
#else
using ListenerBase = Catch::TestEventListenerBase;
#endif

struct CountListener : ListenerBase {
    using ListenerBase::ListenerBase;

    void testRunEnded(const Catch::TestRunStats &stats) override {
        const Catch::Counts &cases = stats.totals.testCases;
        write_counts(cases.passed + cases.failedButOk, cases.failed, 0);
    }
};
CATCH_REGISTER_LISTENER(CountListener)

std::size_t count_selected(const Catch::IConfig &config) {
    return Catch::filterTests(Catch::getAllTestCasesSorted(config), config.testSpec(), config).size();
}

} // namespace

int main(int argc, char **argv) {
    Catch::Session session;
    if (const int error = session.applyCommandLine(argc, argv))
        return error;
    const char *needs = std::getenv("MARLIN_TEST_NEEDS");
    if (needs != nullptr && std::strcmp(needs, "gpu") == 0) {
        const std::size_t selected = count_selected(session.config());
        const bool present = gpu_present();
        if (selected == 0 || !present) {
            write_counts(0, 0, selected);
            std::printf("%s, %zu test cases skipped\n", present ? "a GPU is here" : "no GPU", selected);
            return exit_skipped;
        }
    }
    return session.run();
}
