// A layer is packed once and kept in a file; later four threads, each with a handle of its own, multiply by the file.
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <marlin/marlin.hpp>
#include <thread>
#include <vector>

namespace {

constexpr int kThreads = 4;
constexpr std::size_t m = 8, k = 512, n = 256;

marlin::HandleOptions one_thread() {
    marlin::HandleOptions options;
    options.device = marlin::Device::Cpu;
    options.num_threads = 1;
    return options;
}

// One row for each output feature, as in torch.nn.Linear; an FP16 scale for each 64 weights.
void write_layer(const std::vector<float> &source, const char *path) {
    marlin::Handle handle(one_thread());
    marlin::PackOptions options;
    options.src_type = marlin::Type::F32;
    options.src_order = marlin::Order::NxK;
    options.scale_method = marlin::ScaleMethod::LeastSquares;
    options.k = k;
    options.n = n;
    options.group_size = 64;
    const marlin::Weights weights = handle.pack(options, {source});
    const marlin::ConstBytes bytes = weights.bytes();
    std::ofstream(path, std::ios::binary)
        .write(static_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// Reads the file and checks its checksums; a damaged one throws marlin::Error.
marlin::Weights read_layer(marlin::Handle &handle, const char *path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    const std::shared_ptr<void> packed = marlin::host_memory(bytes.size());
    std::memcpy(packed.get(), bytes.data(), bytes.size());
    return handle.attach(packed, bytes.size());
}

} // namespace

int main(int argc, char **argv) try {
    const char *path = argc > 1 ? argv[1] : "layer.marlin";
    std::vector<float> source(n * k), a(m * k), w(n * k);
    for (std::size_t i = 0; i < source.size(); ++i)
        source[i] = std::sin(static_cast<float>(i * i % 1000));
    for (std::size_t i = 0; i < a.size(); ++i)
        a[i] = std::cos(static_cast<float>(i));
    write_layer(source, path);

    marlin::Handle handle(one_thread());
    const marlin::Weights weights = read_layer(handle, path);
    std::vector<std::vector<float>> results(kThreads, std::vector<float>(m * n));
    std::vector<std::thread> threads;
    for (std::vector<float> &c : results)
        threads.emplace_back([&] { marlin::Handle(one_thread()).gemm({a, m, k}, weights, {c, m, n}); });
    for (std::thread &thread : threads)
        thread.join();

    // The product with the rounded weights is exact up to FP32 accumulation, and the same in every thread.
    handle.unpack(weights, {w, n, k}, marlin::Order::NxK);
    double worst = 0.0; // error as a part of its bound
    for (std::size_t i = 0; i < m * n; ++i) {
        double exact = 0.0, bound = 0.0;
        for (std::size_t j = 0; j < k; ++j) {
            const double product = static_cast<double>(a[i / n * k + j]) * w[i % n * k + j];
            exact += product;
            bound += static_cast<double>(k) * 0x1p-23 * std::fabs(product);
        }
        worst = std::max(worst, std::fabs(results[0][i] - exact) / bound);
    }
    bool same = true;
    for (const std::vector<float> &c : results)
        same = same && c == results[0];
    std::cout << weights.bytes().size() << " bytes in " << path << ", error " << worst << " of the bound, "
              << (same ? "the same" : "not the same") << " in " << kThreads << " threads\n";
    return worst <= 1.0 && same ? 0 : 1;
} catch (const marlin::Error &error) {
    std::cerr << marlin::to_string(error.status()) << ": " << error.what() << "\n";
    return 1;
}
