// Multiplies on a GPU through the C interface: results, refusals, graphs, streams.
#ifdef MARLIN_TESTS_CUDA
#include <cstring>
#include <thread>

#include "support/api_multiply.h"
#include "support/cuda_memory.h"

using namespace marlin::test;

namespace {

const WeightSpec kDense[] = {
    {.k = 100, .n = 70, .group_size = 32, .zero_type = MARLIN_TYPE_U8, .layout = MARLIN_LAYOUT_DENSE},
    {.k = 300, .n = 65, .group_size = -1, .zero_type = MARLIN_TYPE_F32, .layout = MARLIN_LAYOUT_DENSE},
    {.k = 256, .n = 64, .group_size = 64, .layout = MARLIN_LAYOUT_DENSE, .act_order = true},
    {.k = 512, .n = 320, .group_size = 128, .layout = MARLIN_LAYOUT_DENSE},
};

const WeightSpec kSparse[] = {
    {.k = 100, .n = 70, .group_size = 32, .layout = MARLIN_LAYOUT_SPARSE24_DRAFT, .sparse = true},
    {.k = 300, .n = 65, .group_size = -1, .layout = MARLIN_LAYOUT_SPARSE24_DRAFT, .sparse = true},
    {.k = 512, .n = 320, .group_size = 128, .layout = MARLIN_LAYOUT_SPARSE24_DRAFT, .sparse = true},
};

// Weights, activations and C of one multiply in device memory.
struct OnDevice {
    OnDevice(marlin_handle_t handle, const WeightSpec &spec, int64_t m)
        : host(Handle(), spec), packed(host.packed().data(), host.get()->data_size),
          weights(with_size<marlin_weights>()), multiply(host.source(), m),
          a(multiply.a.data(), multiply.a.size() * sizeof multiply.a[0]), c(multiply.c.size()) {
        CHECK_SUCCESS(handle, marlin_weights_attach(handle, packed.data(), packed.size(), &weights));
    }
    marlin_status run(marlin_handle_t handle) {
        const auto call = host.source().spec().sparse ? marlin_sp_gemm : marlin_gemm;
        return call(handle, &multiply.desc, a.data(), &weights, c.data());
    }
    // What the GPU wrote, judged by the oracle.
    bool right() {
        const std::vector<unsigned char> bytes = c.bytes();
        std::memcpy(multiply.c.data(), bytes.data(), bytes.size());
        return multiply.right();
    }

    TestWeights host;
    CudaBuffer packed;
    marlin_weights weights;
    Multiply multiply;
    CudaBuffer a;
    CudaBuffer c;
};

} // namespace

// Every weight, scaled weight and offset of these problems is exact in F16: kernels that round them are right to FP32.
TEST_CASE("weights multiply right on a GPU, dense and 2:4, few rows and many", "[gpu]") {
    const Handle handle(cuda_desc());
    const auto check = [&](const WeightSpec &spec, bool sparse) {
        for (const int64_t m : {1, 9, 40, 130}) {
            OnDevice device(handle, spec, m);
            auto info = with_size<marlin_gemm_info>();
            CHECK_SUCCESS(handle, marlin_gemm_query(handle, &device.multiply.desc, &device.weights, &info));
            const std::string kernel = info.kernel;
            INFO(kernel);
            CHECK((kernel.rfind("sm80_w4a16_", 0) == 0 || kernel.rfind("sm90_w4a16_", 0) == 0));
            CHECK((kernel.find("_sp_") != std::string::npos) == sparse);
            CHECK_SUCCESS(handle, device.run(handle));
            CHECK(device.right());
        }
    };
    for (const WeightSpec &spec : kDense)
        check(spec, false);
    for (const WeightSpec &spec : kSparse)
        check(spec, true);
    CHECK(cudaPeekAtLastError() == cudaSuccess);
}

TEST_CASE("what a GPU does not multiply is refused, and nothing is written", "[gpu]") {
    const Handle handle(cuda_desc());
    const WeightSpec refused[] = {
        {.k = 130, .n = 70, .group_size = 128, .layout = MARLIN_LAYOUT_CPU_SPARSE24_DRAFT, .sparse = true},
        {.k = 128, .n = 64, .layout = MARLIN_LAYOUT_CPU_DRAFT},
    };
    for (const WeightSpec &spec : refused) {
        OnDevice device(handle, spec, 4);
        CHECK_REFUSED(handle, MARLIN_NOT_SUPPORTED, device.run(handle), "layout");
        CHECK(device.c.untouched());
        auto info = with_size<marlin_gemm_info>();
        CHECK(marlin_gemm_query(handle, &device.multiply.desc, &device.weights, &info) == MARLIN_NOT_SUPPORTED);
        device.multiply.desc.m = 0;
        const auto call = spec.sparse ? marlin_sp_gemm : marlin_gemm;
        CHECK_SUCCESS(handle, call(handle, &device.multiply.desc, nullptr, &device.weights, nullptr));
    }
    OnDevice device(handle, kDense[0], 4);
    CHECK_REFUSED(
        handle, MARLIN_INVALID_ARGUMENT,
        marlin_gemm(handle, &device.multiply.desc, device.multiply.a.data(), &device.weights, device.c.data()),
        "a points to host memory");
    CHECK_REFUSED(
        handle, MARLIN_INVALID_ARGUMENT,
        marlin_gemm(handle, &device.multiply.desc, device.a.data(), &device.weights, device.multiply.c.data()),
        "c points to host memory");
    device.multiply.desc.a_type = MARLIN_TYPE_F32;
    device.multiply.desc.m = 2;
    CHECK_REFUSED(handle, MARLIN_NOT_SUPPORTED, device.run(handle), "desc.a_type is 3");
    CHECK(device.c.untouched());
    CHECK(cudaPeekAtLastError() == cudaSuccess);
}

TEST_CASE("rows that are not 16-byte aligned multiply right, and the query says that they are slow", "[gpu]") {
    const Handle handle(cuda_desc());
    const WeightSpec spec = {.k = 100, .n = 70, .group_size = 32, .layout = MARLIN_LAYOUT_DENSE};
    OnDevice device(handle, spec, 5);
    auto info = with_size<marlin_gemm_info>();
    CHECK_SUCCESS(handle, marlin_gemm_query(handle, &device.multiply.desc, &device.weights, &info));
    CHECK(info.slow != 0);
    CHECK(std::string(info.why).find("lda is 100") != std::string::npos);
    CHECK_SUCCESS(handle, device.run(handle));
    CHECK(device.right());
}

TEST_CASE("a multiply is captured in a CUDA graph and replayed", "[gpu]") {
    const CudaStream stream;
    marlin_handle_desc desc = cuda_desc();
    desc.stream = stream;
    const Handle handle(desc);
    // The second gathers A: two kernels, the later one of which may begin early.
    for (const auto &[spec, m] : {std::pair{&kDense[3], 3}, {&kDense[3], 100}, {&kDense[2], 3}, {&kDense[2], 100}}) {
        OnDevice device(handle, *spec, m);
        cudaGraph_t graph = nullptr;
        cudaGraphExec_t exec = nullptr;
        REQUIRE_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
        CHECK_SUCCESS(handle, device.run(handle));
        REQUIRE_CUDA(cudaStreamEndCapture(stream, &graph));
        REQUIRE_CUDA(cudaGraphInstantiate(&exec, graph, 0));
        CHECK(device.c.untouched());
        for (int replay = 0; replay < 3; ++replay) {
            REQUIRE_CUDA(cudaMemsetAsync(device.c.data(), 0xa5, device.c.size(), stream));
            REQUIRE_CUDA(cudaGraphLaunch(exec, stream));
            REQUIRE_CUDA(cudaStreamSynchronize(stream));
            CHECK(device.right());
        }
        REQUIRE_CUDA(cudaGraphExecDestroy(exec));
        REQUIRE_CUDA(cudaGraphDestroy(graph));
    }
}

TEST_CASE("two CUDA handles multiply at the same time, each on its stream and thread", "[gpu]") {
    constexpr size_t count = 2;
    const CudaStream streams[count];
    // Checks of Catch2 are for one thread: what has any is prepared here.
    const auto handle_on = [&](size_t t) {
        marlin_handle_desc desc = cuda_desc();
        desc.stream = streams[t];
        return desc;
    };
    const Handle handles[count] = {Handle(handle_on(0)), Handle(handle_on(1))};
    OnDevice devices[count] = {OnDevice(handles[0], kDense[3], 130), OnDevice(handles[1], kDense[3], 5)};
    bool ran[count] = {};
    std::vector<std::thread> threads;
    for (size_t t = 0; t < count; ++t)
        threads.emplace_back([&, t] {
            bool all = true;
            for (int round = 0; round < 50; ++round)
                all = all && devices[t].run(handles[t]) == MARLIN_SUCCESS;
            ran[t] = all && cudaStreamSynchronize(streams[t]) == cudaSuccess;
        });
    for (std::thread &thread : threads)
        thread.join();
    for (size_t t = 0; t < count; ++t) {
        CHECK(ran[t]);
        CHECK(devices[t].right());
    }
}

TEST_CASE("a workspace of the caller serves a GPU, and one that is too small is refused", "[gpu]") {
    const Handle handle(cuda_desc());
    OnDevice device(handle, kDense[3], 130);
    auto info = with_size<marlin_gemm_info>();
    CHECK_SUCCESS(handle, marlin_gemm_query(handle, &device.multiply.desc, &device.weights, &info));
    REQUIRE(info.workspace_size > 256);
    const CudaBuffer small(info.workspace_size - 1);
    const CudaBuffer enough(info.workspace_size);
    CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, small.data(), small.size()));
    CHECK_REFUSED(handle, MARLIN_WORKSPACE_TOO_SMALL, device.run(handle), "workspace_size is ");
    CHECK(device.c.untouched());
    CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, enough.data(), enough.size()));
    CHECK_SUCCESS(handle, device.run(handle));
    CHECK(device.right());
    CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, nullptr, 0));
    CHECK_SUCCESS(handle, device.run(handle));
    CHECK(device.right());
}
#endif
