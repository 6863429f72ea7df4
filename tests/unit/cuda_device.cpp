// The CUDA plumbing: what it says without a device, and what it does with one.
#include <array>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "common/error.h"
#include "cuda/device.h"
#include "cuda/runtime.h"
#include "support/catch.h"

using namespace marlin;

namespace {

Status status_of_opening(int32_t ordinal, std::string &text) {
    try {
        cuda::open_device(ordinal);
    } catch (const Error &error) {
        text = error.text();
        return error.status();
    }
    return Status::Success;
}

} // namespace

TEST_CASE("the survey of CUDA devices always answers, and gives a reason where there is none") {
    const cuda::Survey survey = cuda::survey();
    if (survey.presence == cuda::Presence::Usable) {
        CHECK(survey.device_count > 0);
        CHECK(survey.driver_version >= survey.runtime_version / 1000 * 1000);
        CHECK(survey.reason.empty());
    } else {
        CHECK(survey.device_count == 0);
        CHECK_FALSE(survey.reason.empty());
    }
}

TEST_CASE("opening a device fails with the survey's reason where there is none") {
    const cuda::Survey survey = cuda::survey();
    std::string text;
    const Status status = status_of_opening(0, text);
    if (survey.presence == cuda::Presence::Usable) {
        CHECK(status == Status::Success);
    } else {
        CHECK(status == Status::NotSupported);
        CHECK(text == "CUDA is not available: " + survey.reason);
    }
}

TEST_CASE("a device that the driver must compile for is announced") {
    cuda::DeviceInfo device;
    device.name = "a GPU";
    for (const int32_t known : {80, 86, 89, 90}) {
        device.compute_capability = known;
        CHECK(cuda::code_note(device).empty());
    }
    for (const int32_t newer : {100, 103, 120}) {
        device.compute_capability = newer;
        CHECK(cuda::code_note(device).find("PTX") != std::string::npos);
    }
}

TEST_CASE("opening device 0 describes it", "[gpu]") {
    const cuda::DeviceInfo info = cuda::open_device(0);
    CHECK(info.ordinal == 0);
    CHECK_FALSE(info.name.empty());
    CHECK(info.compute_capability >= cuda::kMinComputeCapability);
    CHECK(info.sm_count > 0);
    CHECK(info.l2_size > 0);
    CHECK(info.shared_memory_per_block >= 99 * 1024);
    CHECK(info.shared_memory_per_sm >= info.shared_memory_per_block);
    CHECK(info.memory_size > 0);
    CHECK(info.driver_version >= info.runtime_version / 1000 * 1000);
    CHECK(info.runtime_version >= 13000);
}

TEST_CASE("a device that is not there is refused with the range", "[gpu]") {
    const int32_t count = cuda::survey().device_count;
    for (const int32_t ordinal : {-1, count}) {
        std::string text;
        CHECK(status_of_opening(ordinal, text) == Status::InvalidArgument);
        CHECK(text.find("device_id is " + std::to_string(ordinal)) == 0);
        CHECK(text.find("expected 0 to " + std::to_string(count - 1)) != std::string::npos);
    }
}

TEST_CASE("the probe runs the code built for its device", "[gpu]") {
    const cuda::DeviceInfo info = cuda::query_device(0);
    const cuda::Probe probe = cuda::probe_device(0);
    // SASS of the same major version, or PTX of 9.0 compiled by the driver of a newer device.
    CHECK(probe.architecture <= info.compute_capability);
    CHECK(probe.architecture == (info.compute_capability >= 90 ? 90 : 80));
    CHECK(probe.architecture_specific == (info.compute_capability == 90));
}

TEST_CASE("bytes come back from the device through every copy", "[gpu]") {
    const cuda::DeviceGuard guard(0);
    std::vector<uint8_t> sent(100001);
    std::iota(sent.begin(), sent.end(), uint8_t{7});
    const cuda::DeviceMemory first(0, sent.size());
    const cuda::DeviceMemory second(0, sent.size());
    cuda::fill_bytes(second.data(), 0xa5, second.size(), nullptr);
    std::vector<uint8_t> received(sent.size());
    cuda::copy_to_host(received.data(), second.data(), received.size(), nullptr);
    CHECK(received == std::vector<uint8_t>(sent.size(), 0xa5));

    cuda::copy_to_device(first.data(), sent.data(), sent.size(), nullptr);
    cuda::copy_on_device(second.data(), first.data(), sent.size(), nullptr);
    cuda::copy_to_host(received.data(), second.data(), received.size(), nullptr);
    CHECK(received == sent);
}

TEST_CASE("pointers are told apart by where their memory is", "[gpu]") {
    std::array<uint8_t, 64> on_stack{};
    const cuda::PointerInfo host = cuda::query_pointer(on_stack.data());
    CHECK(host.kind == cuda::MemoryKind::Host);
    CHECK_FALSE(cuda::is_memory_of(host, 0));
    CHECK(cuda::to_string(host) == "host memory");

    const cuda::DeviceMemory memory(0, 4096);
    const cuda::PointerInfo device = cuda::query_pointer(static_cast<uint8_t *>(memory.data()) + 100);
    CHECK(device.kind == cuda::MemoryKind::Device);
    CHECK(cuda::is_memory_of(device, 0));
    CHECK_FALSE(cuda::is_memory_of(device, 1));
    CHECK(cuda::to_string(device) == "memory of CUDA device 0");
}

TEST_CASE("memory that does not exist is OutOfMemory with both sizes", "[gpu]") {
    const int64_t size = cuda::query_device(0).memory_size * 2;
    try {
        const cuda::DeviceMemory memory(0, static_cast<std::size_t>(size));
        FAIL("allocated " << size << " bytes");
    } catch (const Error &error) {
        CHECK(error.status() == Status::OutOfMemory);
        CHECK(error.text().find(std::to_string(size) + " bytes") != std::string::npos);
    }
    // The failure leaves the runtime usable.
    CHECK(cuda::DeviceMemory(0, 4096).data() != nullptr);
}

TEST_CASE("device memory moves with its owner and a size of 0 allocates nothing", "[gpu]") {
    CHECK(cuda::DeviceMemory(0, 0).data() == nullptr);
    cuda::DeviceMemory first(0, 4096);
    void *const data = first.data();
    cuda::DeviceMemory second;
    second = std::move(first);
    CHECK(second.data() == data);
    CHECK(second.size() == 4096);
}

TEST_CASE("events order the default stream and the calling thread", "[gpu]") {
    const cuda::DeviceGuard guard(0);
    cuda::check_stream(nullptr, 0);
    CHECK_FALSE(cuda::is_capturing(nullptr));
    const cuda::DeviceMemory memory(0, 1 << 20);
    cuda::fill_bytes(memory.data(), 1, memory.size(), nullptr);
    cuda::Event event;
    event.record(nullptr);
    event.wait_in(nullptr);
    event.synchronize();
    std::vector<uint8_t> received(memory.size());
    cuda::copy_to_host(received.data(), memory.data(), received.size(), nullptr);
    CHECK(received == std::vector<uint8_t>(memory.size(), 1));
}
