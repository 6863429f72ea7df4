// Handles of a GPU: what they say of it, streams, workspace, and a runtime left as it was found.
#ifdef MARLIN_TESTS_CUDA
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "support/child.h"
#include "support/cuda_memory.h"

using namespace marlin::test;

namespace {

void check_creation_refused(const marlin_handle_desc &desc, marlin_status wanted,
                            std::initializer_list<std::string> parts) {
    marlin_handle_t handle = nullptr;
    check_refusal(marlin_handle_create(&desc, &handle), wanted, nullptr, parts);
    CHECK(handle == nullptr);
}

} // namespace

TEST_CASE("a CUDA handle says what its GPU is", "[gpu]") {
    const Handle handle(cuda_desc());
    cudaDeviceProp properties;
    REQUIRE_CUDA(cudaGetDeviceProperties(&properties, 0));
    const marlin_handle_info info = info_of(handle);
    CHECK(info.device == MARLIN_DEVICE_CUDA);
    CHECK(info.device_id == 0);
    CHECK(info.compute_capability == 10 * properties.major + properties.minor);
    CHECK(info.compute_capability >= 80);
    CHECK(info.sm_count == properties.multiProcessorCount);
    CHECK(info.num_threads == 0);
    CHECK(std::string(info.name) == std::string(properties.name).substr(0, sizeof info.name - 1));
    CHECK(info.workspace_size > 0);
    CHECK(info.workspace_size <= size_t{64} << 20);
}

TEST_CASE("the default device is CUDA where there is a GPU", "[gpu]") {
    marlin_handle_t handle = nullptr;
    CHECK_SUCCESS(nullptr, marlin_handle_create(nullptr, &handle));
    CHECK(info_of(handle).device == MARLIN_DEVICE_CUDA);
    CHECK(info_of(handle).device_id == 0);
    marlin_handle_destroy(handle);
}

TEST_CASE("a GPU that is not there, and fields of the CPU, are refused by name", "[gpu]") {
    const int count = cuda_device_count();
    check_creation_refused(cuda_desc(count), MARLIN_INVALID_ARGUMENT,
                           {"device_id is " + std::to_string(count), "expected 0 to " + std::to_string(count - 1)});
    check_creation_refused(cuda_desc(-1), MARLIN_INVALID_ARGUMENT, {"device_id is -1"});
    marlin_handle_desc desc = cuda_desc();
    desc.num_threads = 2;
    check_creation_refused(desc, MARLIN_INVALID_ARGUMENT, {"num_threads is 2", "expected 0 for a CUDA handle"});
    CHECK(cudaPeekAtLastError() == cudaSuccess);
}

TEST_CASE("options of a CUDA handle", "[gpu]") {
    const Handle handle(cuda_desc());
    const int64_t sm_count = info_of(handle).sm_count;
    const auto get = [&](marlin_option option) {
        int64_t value = -1;
        CHECK_SUCCESS(handle, marlin_handle_get_option(handle, option, &value));
        return value;
    };
    for (const int64_t value : {sm_count, int64_t{1}, int64_t{0}}) {
        CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_SM_COUNT, value));
        CHECK(get(MARLIN_OPTION_SM_COUNT) == value);
    }
    CHECK_REFUSED(
        handle, MARLIN_INVALID_ARGUMENT, marlin_handle_set_option(handle, MARLIN_OPTION_SM_COUNT, sm_count + 1),
        "MARLIN_OPTION_SM_COUNT is " + std::to_string(sm_count + 1), "expected 0 to " + std::to_string(sm_count));
    CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_DEPENDENT_LAUNCH, 1));
    CHECK(get(MARLIN_OPTION_DEPENDENT_LAUNCH) == 1);
    for (const auto &[of_cpu, name] : {std::pair{MARLIN_OPTION_NUM_THREADS, "MARLIN_OPTION_NUM_THREADS is 1"},
                                       std::pair{MARLIN_OPTION_CPU_ISA, "MARLIN_OPTION_CPU_ISA is 1"}}) {
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_handle_set_option(handle, of_cpu, 1), name,
                      "expected 0 on a CUDA handle");
        CHECK_SUCCESS(handle, marlin_handle_set_option(handle, of_cpu, 0));
        CHECK(get(of_cpu) == 0);
    }
}

TEST_CASE("work on the old stream is ordered before work on the new one", "[gpu]") {
    const CudaStream first;
    const CudaStream second;
    marlin_handle_desc desc = cuda_desc();
    desc.stream = first;
    const Handle handle(desc);
    marlin_stream_t stream = nullptr;
    CHECK_SUCCESS(handle, marlin_handle_get_stream(handle, &stream));
    CHECK(stream == first);

    struct Order {
        std::atomic<bool> first_done = false;
        std::atomic<bool> seen_by_second = false;
    } order;
    REQUIRE_CUDA(cudaLaunchHostFunc(
        first,
        [](void *user) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            static_cast<Order *>(user)->first_done = true;
        },
        &order));
    CHECK_SUCCESS(handle, marlin_handle_set_stream(handle, second));
    CHECK_FALSE(order.first_done); // nobody waited on the host
    REQUIRE_CUDA(cudaLaunchHostFunc(
        second,
        [](void *user) {
            auto *self = static_cast<Order *>(user);
            self->seen_by_second = self->first_done.load();
        },
        &order));
    REQUIRE_CUDA(cudaStreamSynchronize(second));
    CHECK(order.seen_by_second);
    CHECK_SUCCESS(handle, marlin_handle_get_stream(handle, &stream));
    CHECK(stream == second);
    CHECK_SUCCESS(handle, marlin_handle_set_stream(handle, nullptr));
}

// Reaches MARLIN_DEVICE_ERROR: the runtime forbids ordering a stream that is capturing behind one that is not.
TEST_CASE("a stream that is capturing is a device error with the runtime's words, and the handle goes on", "[gpu]") {
    const CudaStream plain;
    const CudaStream capturing;
    marlin_handle_desc desc = cuda_desc();
    desc.stream = plain;
    const Handle handle(desc);
    REQUIRE_CUDA(cudaStreamBeginCapture(capturing, cudaStreamCaptureModeRelaxed));
    CHECK_REFUSED(handle, MARLIN_DEVICE_ERROR, marlin_handle_set_stream(handle, capturing), "cuda");
    cudaGraph_t graph = nullptr;
    static_cast<void>(cudaStreamEndCapture(capturing, &graph)); // the capture may have been spoilt
    if (graph != nullptr)
        cudaGraphDestroy(graph);
    static_cast<void>(cudaGetLastError());
    marlin_stream_t stream = nullptr;
    CHECK_SUCCESS(handle, marlin_handle_get_stream(handle, &stream));
    CHECK(stream == plain);
    CHECK_SUCCESS(handle, marlin_handle_set_stream(handle, nullptr));
}

TEST_CASE("the workspace of a CUDA handle is device memory", "[gpu]") {
    const Handle handle(cuda_desc());
    const size_t own = info_of(handle).workspace_size;
    const CudaBuffer memory(1 << 20);
    std::vector<unsigned char> host(4096 + 256);
    auto *aligned = host.data() + (256 - reinterpret_cast<uintptr_t>(host.data()) % 256);
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_handle_set_workspace(handle, aligned, 4096),
                  "workspace points to host memory", "expected memory of CUDA device 0");
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT,
                  marlin_handle_set_workspace(handle, static_cast<char *>(memory.data()) + 16, 4096), "workspace is 0x",
                  "expected a multiple of 256 bytes");
    CHECK(info_of(handle).workspace_size == own);
    CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, memory.data(), memory.size()));
    CHECK(info_of(handle).workspace_size == memory.size());
    CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, nullptr, 0));
    CHECK(info_of(handle).workspace_size == own);

    marlin_handle_desc desc = cuda_desc();
    desc.workspace = memory.data();
    desc.workspace_size = memory.size();
    CHECK(info_of(Handle(desc)).workspace_size == memory.size());
    desc.workspace = aligned;
    check_creation_refused(desc, MARLIN_INVALID_ARGUMENT, {"workspace points to host memory"});
    CHECK(cudaPeekAtLastError() == cudaSuccess);
}

TEST_CASE("a GPU without memory left is out of memory with the sizes, and recovers", "[gpu][all_memory]") {
    std::vector<void *> hoard;
    for (size_t size = size_t{1} << 38; size >= size_t{1} << 20;) {
        void *memory = nullptr;
        if (cudaMalloc(&memory, size) == cudaSuccess)
            hoard.push_back(memory);
        else
            size /= 2;
    }
    static_cast<void>(cudaGetLastError());
    check_creation_refused(cuda_desc(), MARLIN_OUT_OF_MEMORY, {"CUDA device 0", "bytes left", "are free"});
    for (void *memory : hoard)
        cudaFree(memory);
    const Handle handle(cuda_desc());
    CHECK(info_of(handle).device == MARLIN_DEVICE_CUDA);
}

TEST_CASE("handles come and go without device memory left behind", "[gpu][free_memory]") {
    { const Handle first(cuda_desc()); }
    size_t before = 0;
    size_t after = 0;
    size_t total = 0;
    REQUIRE_CUDA(cudaMemGetInfo(&before, &total));
    for (int i = 0; i < 20; ++i)
        const Handle handle(cuda_desc());
    REQUIRE_CUDA(cudaMemGetInfo(&after, &total));
    CHECK(before <= after + (size_t{5} * 64 << 20)); // a quarter of the workspaces; sanitizers take some for themselves
}

TEST_CASE("the current device stays as it was found, whichever device the handle is of", "[gpu]") {
    const int count = cuda_device_count();
    for (int current = 0; current < count; ++current) {
        REQUIRE_CUDA(cudaSetDevice(current));
        for (int of_handle = 0; of_handle < count; ++of_handle) {
            {
                const Handle handle(cuda_desc(of_handle));
                CHECK(info_of(handle).device_id == of_handle);
                CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, nullptr, 0));
                CHECK_SUCCESS(handle, marlin_handle_set_stream(handle, nullptr));
            }
            int now = -1;
            REQUIRE_CUDA(cudaGetDevice(&now));
            CHECK(now == current);
        }
    }
    REQUIRE_CUDA(cudaSetDevice(0));
    CHECK(cudaPeekAtLastError() == cudaSuccess);
}

TEST_CASE("streams and memory of another GPU are refused", "[gpu]") {
    if (cuda_device_count() < 2) {
        WARN("not run: needs two GPUs");
        return;
    }
    REQUIRE_CUDA(cudaSetDevice(1));
    const CudaStream stream;
    const CudaBuffer memory(1 << 20);
    REQUIRE_CUDA(cudaSetDevice(0));
    const Handle handle(cuda_desc(0));
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_handle_set_stream(handle, stream),
                  "stream belongs to CUDA device 1", "expected device 0");
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_handle_set_workspace(handle, memory.data(), memory.size()),
                  "workspace points to memory of CUDA device 1", "expected memory of CUDA device 0");
}

TEST_CASE("a forked child is refused a CUDA handle, and destroying it there harms nobody", "[gpu]") {
    const Handle handle(cuda_desc());
    const ChildResult result = in_child([&]() -> int {
        auto info = with_size<marlin_handle_info>();
        CHILD_EXPECT(marlin_handle_get_info(handle, &info) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(marlin_handle_set_stream(handle, nullptr) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(last_error(nullptr).find("handle belongs to process") == 0);
        marlin_handle_destroy(handle);
        return 0;
    });
    INFO(result.output);
    CHECK(result.how == "exit code 0");
    CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, nullptr, 0));
}
#endif
