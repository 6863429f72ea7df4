// Compiled with -fno-exceptions: packs and multiplies, then is refused and must not come back.
#include <cstdio>
#include <marlin/marlin.hpp>
#include <vector>

int main() {
    std::vector<float> source(64 * 16, 7.0f), a(64, 1.0f), c(16);
    marlin::Handle handle(marlin::Device::Cpu);
    marlin::PackOptions options;
    options.src_type = marlin::Type::F32;
    options.k = 64;
    options.n = 16;
    options.group_size = 32;
    const marlin::Weights weights = handle.pack(options, {source});
    handle.gemm({a, 1, 64}, weights, {c, 1, 16});
    std::printf("c[0] is %g\n", static_cast<double>(c[0]));
    std::fflush(stdout);
    handle.set_option(marlin::Option::Math, 99);
    std::printf("math 99 passed\n");
    return 0;
}
