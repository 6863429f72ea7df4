// Creating and asking handles: devices, threads, streams, and what a refused creation leaves behind.
#include <sched.h>
#include <string>

#include "support/api.h"
#include "support/child.h"

using namespace marlin::test;

namespace {

marlin_status create(const marlin_handle_desc &desc, marlin_handle_t *handle) {
    return marlin_handle_create(&desc, handle);
}

// A creation that must fail, and leave what `handle` pointed to alone.
void check_creation_refused(const marlin_handle_desc &desc, marlin_status wanted,
                            std::initializer_list<std::string> parts) {
    int marker = 0;
    auto *const before = reinterpret_cast<marlin_handle_t>(&marker);
    marlin_handle_t handle = before;
    check_refusal(create(desc, &handle), wanted, nullptr, parts);
    CHECK(handle == before);
}

} // namespace

TEST_CASE("a CPU handle says what it is") {
    const Handle handle(cpu_desc(3));
    const marlin_handle_info info = info_of(handle);
    CHECK(info.struct_size == sizeof info);
    CHECK(info.device == MARLIN_DEVICE_CPU);
    CHECK(info.device_id == 0);
    CHECK(info.compute_capability == 0);
    CHECK(info.sm_count == 0);
    CHECK(info.num_threads == 3);
    CHECK(info.workspace_size > 0);
    CHECK(info.workspace_size <= size_t{64} << 20);
    const std::string name = info.name;
    CHECK((name == "reference" || name == "avx2" || name == "avx512" || name == "avx512_bf16"));
    for (const uint64_t word : info.reserved)
        CHECK(word == 0);
}

// Reaches MARLIN_NOT_SUPPORTED where there is no GPU, or none that the library was built for.
TEST_CASE("the default device is CUDA where it can be had, the CPU where there is none, never a silent replacement") {
    auto desc = with_size<marlin_handle_desc>();
    desc.device = MARLIN_DEVICE_CUDA;
    marlin_handle_t cuda = nullptr;
    const marlin_status status = create(desc, &cuda);
    if (status == MARLIN_SUCCESS) {
        marlin_handle_destroy(cuda);
        const Handle chosen(with_size<marlin_handle_desc>());
        CHECK(info_of(chosen).device == MARLIN_DEVICE_CUDA);
        return;
    }
    CHECK_REFUSED(nullptr, MARLIN_NOT_SUPPORTED, status, "CUDA is not available: ");
    CHECK(last_error(nullptr).size() > std::string("CUDA is not available: ").size());
    CHECK(cuda == nullptr);
    marlin_handle_t chosen = nullptr;
    if (marlin_handle_create(nullptr, &chosen) == MARLIN_SUCCESS)
        CHECK(info_of(chosen).device == MARLIN_DEVICE_CPU);
    else // a GPU is there, but cannot be used
        CHECK_THAT(last_error(nullptr), Catch::Matchers::Contains("CUDA is not available: "));
    marlin_handle_destroy(chosen);
}

TEST_CASE("every field of the handle's description is checked by name") {
    marlin_handle_desc desc = cpu_desc();
    for (const int32_t device : {-1, 3, INT32_MAX, INT32_MIN}) {
        desc.device = device;
        check_creation_refused(desc, MARLIN_INVALID_ARGUMENT,
                               {"desc.device is " + std::to_string(device), "expected 0 to 2"});
    }
    desc = cpu_desc();
    for (const int32_t threads : {-1, 1025, INT32_MAX, INT32_MIN}) {
        desc.num_threads = threads;
        check_creation_refused(desc, MARLIN_INVALID_ARGUMENT,
                               {"num_threads is " + std::to_string(threads), "expected 0 to 1024"});
    }
    desc = cpu_desc();
    desc.device_id = 1;
    check_creation_refused(desc, MARLIN_INVALID_ARGUMENT, {"device_id is 1", "expected 0 for a CPU handle"});
    desc.device_id = -1;
    check_creation_refused(desc, MARLIN_INVALID_ARGUMENT, {"device_id is -1", "expected 0"});
    desc = cpu_desc();
    desc.stream = reinterpret_cast<marlin_stream_t>(uintptr_t{64});
    check_creation_refused(desc, MARLIN_INVALID_ARGUMENT, {"stream is 0x40", "expected NULL for a CPU handle"});
}

TEST_CASE("a CPU handle has no stream but NULL") {
    const Handle handle;
    CHECK_SUCCESS(handle, marlin_handle_set_stream(handle, nullptr));
    auto *const other = reinterpret_cast<marlin_stream_t>(uintptr_t{64});
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_handle_set_stream(handle, other), "stream is 0x40",
                  "expected NULL");
    marlin_stream_t stream = other;
    CHECK_SUCCESS(handle, marlin_handle_get_stream(handle, &stream));
    CHECK(stream == nullptr);
}

TEST_CASE("num_threads 0 means the cores that this process may run on") {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    CHECK(info_of(Handle(cpu_desc(0))).num_threads == CPU_COUNT(&allowed));

    const ChildResult on_one_core = in_child([&]() -> int {
        cpu_set_t one;
        CPU_ZERO(&one);
        for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++core)
            if (CPU_ISSET(core, &allowed))
                CPU_SET(core, &one);
        CHILD_EXPECT(sched_setaffinity(0, sizeof one, &one) == 0);
        const marlin_handle_desc desc = cpu_desc(0);
        marlin_handle_t handle = nullptr;
        CHILD_EXPECT(marlin_handle_create(&desc, &handle) == MARLIN_SUCCESS);
        auto info = with_size<marlin_handle_info>();
        CHILD_EXPECT(marlin_handle_get_info(handle, &info) == MARLIN_SUCCESS);
        CHILD_EXPECT(info.num_threads == 1);
        marlin_handle_destroy(handle);
        return 0;
    });
    INFO(on_one_core.output);
    CHECK(on_one_core.how == "exit code 0");
}

TEST_CASE("destroying no handle is fine") {
    marlin_handle_destroy(nullptr);
}
