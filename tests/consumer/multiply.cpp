// marlin.hpp in a program: packs, multiplies, is refused with the library's words, and finds what the weights say.
#include <cmath>
#include <iostream>
#include <marlin/marlin.hpp>
#include <vector>

int main() try {
    constexpr int m = 3, k = 128, n = 48;
    std::vector<float> source(n * k), a(m * k), c(m * n), w(n * k);
    for (std::size_t i = 0; i < source.size(); ++i)
        source[i] = static_cast<float>(i % 31) - 15;
    for (std::size_t i = 0; i < a.size(); ++i)
        a[i] = static_cast<float>(i % 7) / 4;

    marlin::HandleOptions cpu;
    cpu.device = marlin::Device::Cpu;
    cpu.num_threads = 2;
    marlin::Handle handle(cpu);
    marlin::PackOptions options;
    options.src_type = marlin::Type::F32;
    options.src_order = marlin::Order::NxK;
    options.k = k;
    options.n = n;
    options.group_size = 64;
    const marlin::Weights weights = handle.pack(options, {source});
    handle.gemm({a, m, k}, weights, {c, m, n});
    handle.unpack(weights, {w, n, k}, marlin::Order::NxK);
    for (int i = 0; i < m * n; ++i) {
        double exact = 0.0, magnitude = 0.0;
        for (int j = 0; j < k; ++j) {
            const double product = static_cast<double>(a[i / n * k + j]) * w[i % n * k + j];
            exact += product;
            magnitude += std::fabs(product);
        }
        if (!(std::fabs(c[i] - exact) <= k * 0x1p-23 * magnitude)) {
            std::cerr << "c[" << i << "] is " << c[i] << ", expected " << exact << "\n";
            return 1;
        }
    }
    try {
        handle.gemm({a, m, k, 100}, weights, {c, m, n});
    } catch (const marlin::Error &error) {
        std::cout << marlin::to_string(error.status()) << ": " << error.what() << "\n";
        const bool right = error.status() == marlin::Status::InvalidArgument &&
                           std::string(error.what()) == "desc.lda is 100, expected 0 or >= k = 128";
        return right && marlin::version() == MARLIN_VERSION ? 0 : 1;
    }
    std::cerr << "a stride of 100 for rows of 128 passed\n";
    return 1;
} catch (const std::exception &error) {
    std::cerr << error.what() << "\n";
    return 1;
}
