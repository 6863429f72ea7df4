// What marlin.hpp adds to marlin.h: owners that move and share, views that know sizes and types, errors.
#include <array>
#include <type_traits>

#include "support.h"

namespace marlin::test {
namespace {

constexpr std::int64_t k = 64, n = 16;

PackOptions options_of(Type type) {
    PackOptions options;
    options.src_type = type;
    options.k = k;
    options.n = n;
    options.group_size = 32;
    return options;
}

// 7 is the highest code of a scale of 1: nothing is rounded.
Weights sevens(Handle &handle) {
    return handle.pack(options_of(Type::F32), {std::vector<float>(k * n, 7.0f)});
}

float product(Handle &handle, const Weights &weights) {
    const std::vector<float> a(k, 1.0f);
    std::vector<float> c(n);
    handle.gemm({a, 1, k}, weights, {c, 1, n});
    return c[0];
}

} // namespace

TEST_CASE("a handle moves, and is refused where it was", "[hpp]") {
    static_assert(!std::is_copy_constructible_v<Handle> && std::is_nothrow_move_constructible_v<Handle>);
    Handle first(cpu_options());
    Handle second = std::move(first);
    CHECK(product(second, sevens(second)) == 448.0f);
    CHECK(second.info().device == Device::Cpu);
    CHECK(second.info().num_threads == 2);
    CHECK(!second.info().name.empty());
    const Error error = refusal([&] { first.info(); }); // NOLINT: that is the point
    CHECK(error.status() == Status::InvalidArgument);
    CHECK(std::string(error.what()) == "handle is NULL, expected one that marlin_handle_create made");
}

TEST_CASE("a handle has options, a stream and a workspace", "[hpp]") {
    Handle handle(cpu_options());
    handle.set_option(Option::Math, Math::BatchInvariant);
    CHECK(handle.option(Option::Math) == MARLIN_MATH_BATCH_INVARIANT);
    handle.set_option(Option::CpuIsa, CpuIsa::Reference);
    handle.set_option(Option::NumThreads, 1);
    CHECK(handle.info().num_threads == 1);
    handle.set_stream(nullptr);
    CHECK(handle.stream() == nullptr);
    const auto workspace = host_memory(std::size_t{1} << 20);
    handle.set_workspace(workspace.get(), std::size_t{1} << 20);
    CHECK(handle.info().workspace_size == std::size_t{1} << 20);
    CHECK(product(handle, sevens(handle)) == 448.0f);
    const Error error = refusal([&] { handle.set_workspace(workspace.get(), 0); });
    CHECK(error.status() == Status::InvalidArgument);
    CHECK(handle.last_error() == error.what());
    CHECK(version() == MARLIN_VERSION);
    CHECK(nlohmann::json::parse(build_info()).contains("commit"));
}

TEST_CASE("copies of weights share their memory, and the last one frees it", "[hpp]") {
    Handle handle(cpu_options());
    const PackOptions options = options_of(Type::F32);
    const std::vector<float> source(k * n, 7.0f);
    const std::size_t size = handle.pack_size(options);
    bool freed = false;
    Weights copy;
    {
        const std::shared_ptr<void> memory = host_memory(size);
        const std::shared_ptr<void> watched(memory.get(), [memory, &freed](void *) { freed = true; });
        const Weights weights = handle.pack(options, {source}, watched, size);
        copy = weights;
    }
    CHECK(!freed);
    CHECK(product(handle, copy) == 448.0f);
    CHECK(copy.k() == k);
    CHECK(copy.n() == n);
    CHECK(copy.k_packed() >= k);
    CHECK(copy.bytes().size() <= size);
    CHECK(copy.device() == Device::Cpu);
    CHECK(copy.device_id() == 0);
    copy = Weights();
    CHECK(freed);
    CHECK(refusal([&] { handle.unpack(copy, Bytes()); }).status() == Status::InvalidArgument);
}

TEST_CASE("bytes that are not owned attach as well", "[hpp]") {
    Handle handle(cpu_options());
    const Weights packed = sevens(handle);
    const Weights weights = handle.attach(packed.bytes());
    CHECK(weights.get()->data == packed.get()->data);
    CHECK(product(handle, weights) == 448.0f);
}

TEST_CASE("views take containers, arrays and pointers, and know their types", "[hpp]") {
    const std::vector<float> floats(6);
    std::array<f16, 6> halves = {};
    bf16 brains[6] = {};
    const std::int8_t *const codes = nullptr;
    CHECK(ConstMatrix(floats, 2, 3).type() == Type::F32);
    CHECK(Matrix(halves, 2, 3).type() == Type::F16);
    CHECK(Matrix(brains, 2, 3).type() == Type::BF16);
    CHECK(ConstMatrix(codes, 2, 3).type() == Type::S4);
    CHECK(ConstMatrix(nullptr, Type::F16, 2, 3, 8).ld() == 8);
    const ConstMatrix constant = Matrix(halves, 2, 3);
    CHECK(constant.data() == halves.data());
    CHECK(ConstBytes(floats).size() == 24);
    CHECK(ConstBytes(brains).size() == 12);
    CHECK(Bytes(halves).size() == 12);
    CHECK(ConstVector(halves).type() == Type::F16);
    CHECK(ConstVector(halves).size() == 6);
    CHECK(Span<const float>(floats).size() == 6);
    static_assert(!std::is_constructible_v<Matrix, const std::vector<float> &, int, int>);
    static_assert(!std::is_constructible_v<Matrix, ConstMatrix>);
    static_assert(!std::is_constructible_v<Bytes, const std::vector<float> &>);
    static_assert(!std::is_constructible_v<Span<float>, const std::vector<float> &>);
    static_assert(!std::is_constructible_v<Span<const float>, const std::vector<double> &>);
}

TEST_CASE("matrices that do not fit are refused with name, value and expectation", "[hpp]") {
    Handle handle(cpu_options());
    const Weights weights = sevens(handle);
    std::vector<float> a(2 * k), c(2 * n), dst(k * n);
    const auto text = [](auto &&body) {
        const Error error = refusal(body);
        CHECK(error.status() == Status::InvalidArgument);
        return std::string(error.what());
    };
    CHECK(text([&] { ConstMatrix(a, 3, k); }) == "elements.size is 128, expected at least 192: 3 rows of 64");
    CHECK(text([&] { ConstMatrix(a, 2, k, 100); }) ==
          "elements.size is 128, expected at least 164: 2 rows of 64, 100 apart");
    CHECK(text([&] { ConstMatrix(a, INT64_MAX, 2); }).find("elements.size is 128, expected at least") == 0);
    CHECK(text([&] { handle.gemm({a, 2, 63}, weights, {c, 2, n}); }) == "a.cols is 63, expected k = 64");
    CHECK(text([&] { handle.gemm({a, 2, k}, weights, {c, 2, 15}); }) == "c.cols is 15, expected n = 16");
    CHECK(text([&] { handle.gemm({a, 2, k}, weights, {c, 1, n}); }) == "c.rows is 1, expected a.rows = 2");
    CHECK(text([&] { handle.gemm({a, 2, k}, weights, {c, 2, n}, a); }) == "bias.size is 128, expected n = 16");
    CHECK(text([&] { handle.sp_gemm({a, 2, 63}, weights, {c, 2, n}); }) == "a.cols is 63, expected k = 64");
    CHECK(text([&] { handle.query({a, 2, 63}, weights, {c, 2, n}); }) == "a.cols is 63, expected k = 64");
    CHECK(text([&] { handle.unpack(weights, {dst, n, k}, Order::KxN); }) == "dst.rows is 16, expected k = 64");
    CHECK(text([&] { handle.unpack(weights, {dst, n, n}, Order::NxK); }) == "dst.cols is 16, expected k = 64");
    // and what the library can see is said by the library
    CHECK(text([&] { handle.gemm({a, -1, k}, weights, {c, -1, n}); }).find("desc.m is -1, expected") == 0);
    CHECK(text([&] { handle.gemm({a, 2, k, 3}, weights, {c, 2, n}); }) == "desc.lda is 3, expected 0 or >= k = 64");
    CHECK(product(handle, weights) == 448.0f);
}

TEST_CASE("a query names the kernel without data", "[hpp]") {
    Handle handle(cpu_options());
    const Weights weights = sevens(handle);
    handle.set_option(Option::CpuIsa, CpuIsa::Reference);
    const GemmInfo info =
        handle.query(ConstMatrix(nullptr, Type::F16, 4, k), weights, ConstMatrix(nullptr, Type::F32, 4, n));
    CHECK(info.kernel == "cpu_reference");
    CHECK(info.kernel_number > 0);
}

TEST_CASE("codes, scales and zeros come back", "[hpp]") {
    Handle handle(cpu_options());
    PackOptions options = options_of(Type::U4);
    options.src_scale_type = Type::F16;
    options.src_zero_type = Type::U8;
    std::vector<std::uint8_t> codes(k * n), zeros(2 * n);
    for (std::size_t i = 0; i < codes.size(); ++i)
        codes[i] = static_cast<std::uint8_t>(i * 5 % 16);
    for (std::size_t i = 0; i < zeros.size(); ++i)
        zeros[i] = static_cast<std::uint8_t>(i % 17);
    const auto scales = encoded(std::vector<double>(2 * n, 0.25), kF16);
    PackInput input;
    input.src = codes;
    input.scales = scales;
    input.zeros = zeros;
    const Weights weights = handle.pack(options, input);
    std::vector<std::uint8_t> codes_back(k * n), zeros_back(2 * n);
    std::vector<std::uint16_t> scales_back(2 * n);
    handle.unpack(weights, {codes_back, k, n}, Order::KxN, scales_back, zeros_back);
    CHECK(codes_back == codes);
    CHECK(scales_back == scales);
    CHECK(zeros_back == zeros);
    scales_back.assign(2 * n, 0);
    handle.unpack(weights, scales_back);
    CHECK(scales_back == scales);
}

TEST_CASE("messages reach a function of the program", "[hpp]") {
    std::string heard;
    set_log(
        LogLevel::Error,
        [](void *user, marlin_log_level, const char *message) { static_cast<std::string *>(user)->append(message); },
        &heard);
    Handle handle(cpu_options());
    const Error error = refusal([&] { handle.set_option(Option::Math, 7); });
    set_log(LogLevel::Off);
    CHECK(heard == std::string("marlin_handle_set_option: ") + error.what());
}

} // namespace marlin::test
