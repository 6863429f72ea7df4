// Packed weights in GPU memory: the bytes that a CPU packs, attached, unpacked, and refused in the wrong memory.
#ifdef MARLIN_TESTS_CUDA
#include <cstring>
#include <memory>
#include <thread>

#include "support/api_multiply.h"
#include "support/cuda_memory.h"

using namespace marlin::test;

namespace {

const WeightSpec kSpecs[] = {
    {.k = 100, .n = 70, .group_size = 32, .zero_type = MARLIN_TYPE_U8, .layout = MARLIN_LAYOUT_DENSE},
    {.k = 300, .n = 65, .group_size = -1, .zero_type = MARLIN_TYPE_F32, .layout = MARLIN_LAYOUT_DENSE},
    {.k = 256, .n = 64, .group_size = 64, .layout = MARLIN_LAYOUT_DENSE, .act_order = true},
    {.k = 130, .n = 70, .group_size = 128, .layout = MARLIN_LAYOUT_SPARSE24_DRAFT, .sparse = true},
    {.k = 128, .n = 64, .layout = MARLIN_LAYOUT_CPU_DRAFT},
};

// The arrays of a pack input as copies in device memory.
class DeviceInput {
public:
    explicit DeviceInput(const marlin_pack_input &host) : input_(host) {
        move(input_.src, host.src_size);
        move(input_.scales, host.scales_size);
        move(input_.zeros, host.zeros_size);
        move(input_.g_idx, host.g_idx_size);
    }
    const marlin_pack_input *get() const { return &input_; }

private:
    template <typename T>
    void move(const T *&pointer, size_t size) {
        if (pointer == nullptr)
            return;
        buffers_.push_back(std::make_unique<CudaBuffer>(pointer, size));
        pointer = static_cast<const T *>(buffers_.back()->data());
    }

    marlin_pack_input input_;
    std::vector<std::unique_ptr<CudaBuffer>> buffers_;
};

bool starts_with(const std::vector<unsigned char> &bytes, const void *expected, size_t size) {
    return bytes.size() >= size && std::memcmp(bytes.data(), expected, size) == 0;
}

// Weights packed by the CPU, copied to the GPU and attached there.
struct OnDevice {
    OnDevice(marlin_handle_t handle, const WeightSpec &spec)
        : host(Handle(), spec), packed(host.packed().data(), host.get()->data_size),
          weights(with_size<marlin_weights>()) {
        CHECK_SUCCESS(handle, marlin_weights_attach(handle, packed.data(), packed.size(), &weights));
    }
    TestWeights host;
    CudaBuffer packed;
    marlin_weights weights;
};

} // namespace

TEST_CASE("a GPU packs the bytes that a CPU packs, from host and from device memory", "[gpu]") {
    const Handle handle(cuda_desc());
    for (const WeightSpec &spec : kSpecs) {
        TestWeights expected(Handle(), spec);
        const marlin_pack_desc desc = expected.source().desc();
        marlin_pack_input host_input = expected.source().input();
        host_input.memory = 1;
        const DeviceInput device_input(expected.source().input());
        REQUIRE(packed_size_of(handle, desc) == expected.packed().size());
        for (const marlin_pack_input *input : {static_cast<const marlin_pack_input *>(&host_input), device_input.get()})
            for (const Memory memory : {Memory::Device, Memory::Managed}) {
                const CudaBuffer packed(expected.packed().size(), memory);
                auto weights = with_size<marlin_weights>();
                CHECK_SUCCESS(handle, marlin_pack(handle, &desc, input, packed.data(), packed.size(), &weights));
                CHECK(weights.data == packed.data());
                CHECK(weights.data_size == expected.get()->data_size);
                CHECK(weights.device == MARLIN_DEVICE_CUDA);
                CHECK(weights.device_id == 0);
                CHECK((weights.perm != nullptr) == spec.act_order);
                CHECK(starts_with(packed.bytes(), expected.packed().data(), expected.get()->data_size));
            }
    }
    CHECK(cudaPeekAtLastError() == cudaSuccess);
}

TEST_CASE("the default layout of a GPU is NVIDIA's", "[gpu]") {
    const Handle handle(cuda_desc());
    for (const bool sparse : {false, true}) {
        const WeightSource source({.sparse = sparse});
        const marlin_pack_desc desc = source.desc();
        marlin_pack_input input = source.input();
        input.memory = 1;
        const CudaBuffer packed(packed_size_of(handle, desc));
        auto weights = with_size<marlin_weights>();
        CHECK_SUCCESS(handle, marlin_pack(handle, &desc, &input, packed.data(), packed.size(), &weights));
        CHECK(weights.layout == (sparse ? MARLIN_LAYOUT_SPARSE24_DRAFT : MARLIN_LAYOUT_DENSE));
    }
}

TEST_CASE("packed bytes copied to a GPU attach and unpack there", "[gpu]") {
    const Handle handle(cuda_desc());
    for (const WeightSpec &spec : kSpecs) {
        OnDevice device(handle, spec);
        CHECK(device.weights.data == device.packed.data());
        CHECK(device.weights.k == spec.k);
        const auto *begin = static_cast<const char *>(device.packed.data());
        const auto *perm = reinterpret_cast<const char *>(device.weights.perm);
        CHECK((perm == nullptr || (perm > begin && perm < begin + device.packed.size())));

        const auto elements = static_cast<size_t>(spec.k * spec.n);
        const CudaBuffer codes(elements);
        auto desc = with_size<marlin_unpack_desc>();
        WeightSource source = device.host.source();
        desc.dst_type = source.is_signed() ? MARLIN_TYPE_S4 : MARLIN_TYPE_U4;
        desc.dst = codes.data();
        desc.dst_size = codes.size();
        CHECK_SUCCESS(handle, marlin_unpack(handle, &device.weights, &desc));
        const std::vector<unsigned char> found = codes.bytes();
        int wrong = 0;
        for (int64_t k = 0; k < spec.k; ++k)
            for (int64_t n = 0; n < spec.n; ++n) {
                const int code = found[static_cast<size_t>(k * spec.n + n)];
                wrong += (source.is_signed() ? (code + 8) & 0xff : code) == source.code(k, n) ? 0 : 1;
            }
        CHECK(wrong == 0);
    }
}

TEST_CASE("damaged bytes in GPU memory are refused", "[gpu]") {
    const Handle handle(cuda_desc());
    OnDevice device(handle, kSpecs[0]);
    auto weights = with_size<marlin_weights>();
    CHECK_REFUSED(handle, MARLIN_BAD_PACKED_DATA,
                  marlin_weights_attach(handle, device.packed.data(), device.packed.size() - 1, &weights),
                  "packed_size is " + std::to_string(device.packed.size() - 1));
    CHECK_REFUSED(handle, MARLIN_BAD_PACKED_DATA, marlin_weights_attach(handle, device.packed.data(), 100, &weights),
                  "packed_size is 100");
    for (const size_t byte : {size_t{0}, size_t{50}, device.packed.size() - 1}) {
        const std::vector<unsigned char> good = device.packed.bytes();
        const auto bad = static_cast<unsigned char>(good[byte] ^ 1);
        auto *at = static_cast<unsigned char *>(device.packed.data()) + byte;
        REQUIRE_CUDA(cudaMemcpy(at, &bad, 1, cudaMemcpyHostToDevice));
        CHECK_REFUSED(handle, MARLIN_BAD_PACKED_DATA,
                      marlin_weights_attach(handle, device.packed.data(), device.packed.size(), &weights), "packed ");
        REQUIRE_CUDA(cudaMemcpy(at, &good[byte], 1, cudaMemcpyHostToDevice));
    }
    CHECK(weights.data == nullptr);
}

TEST_CASE("host memory is refused where a GPU's is expected, and nothing is written", "[gpu]") {
    const Handle handle(cuda_desc());
    TestWeights host(Handle(), kSpecs[0]);
    OnDevice device(handle, kSpecs[0]);
    const marlin_pack_desc desc = host.source().desc();
    const marlin_pack_input host_input = host.source().input();
    marlin_pack_input from_host = host_input;
    from_host.memory = 1;
    const CudaBuffer packed(host.packed().size());
    GuardedBuffer host_packed(host.packed().size());
    const CudaBuffer pinned(host.packed().size(), Memory::PinnedHost);
    auto weights = with_size<marlin_weights>();

    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT,
                  marlin_pack(handle, &desc, &host_input, packed.data(), packed.size(), &weights),
                  "src points to host memory", "expected memory of CUDA device 0");
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT,
                  marlin_pack(handle, &desc, &from_host, host_packed.data(), host_packed.size(), &weights),
                  "packed points to host memory");
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT,
                  marlin_pack(handle, &desc, &from_host, pinned.data(), pinned.size(), &weights), "packed points to ",
                  "expected memory of CUDA device 0");
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT,
                  marlin_weights_attach(handle, host.packed().data(), host.packed().size(), &weights),
                  "packed points to host memory");
    GuardedBuffer values(100 * 70 * 4);
    auto unpack = with_size<marlin_unpack_desc>();
    unpack.dst_type = MARLIN_TYPE_F32;
    unpack.dst = values.data();
    unpack.dst_size = values.size();
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_unpack(handle, &device.weights, &unpack),
                  "dst points to host memory");
    CHECK(packed.untouched());
    CHECK(pinned.untouched());
    CHECK((host_packed.untouched() && values.untouched()));
    CHECK(cudaPeekAtLastError() == cudaSuccess);
}

TEST_CASE("weights belong to the handle's kind of device", "[gpu]") {
    const Handle cuda(cuda_desc());
    const Handle cpu;
    TestWeights host(cpu, kSpecs[0]);
    OnDevice device(cuda, kSpecs[0]);
    Multiply multiply(host.source(), 1);
    auto info = with_size<marlin_gemm_info>();
    CHECK_REFUSED(cpu, MARLIN_INVALID_ARGUMENT, multiply.run(cpu, &device.weights), "b.device is 1",
                  "expected 2, 0: those of the handle");
    CHECK(multiply.c.untouched());
    CHECK_REFUSED(cuda, MARLIN_INVALID_ARGUMENT, marlin_gemm_query(cuda, &multiply.desc, host.get(), &info),
                  "b.device is 2", "expected 1, 0: those of the handle");
}

TEST_CASE("two CUDA handles pack at the same time, each on its stream", "[gpu]") {
    TestWeights expected(Handle(), kSpecs[2]);
    const marlin_pack_desc desc = expected.source().desc();
    marlin_pack_input input = expected.source().input();
    input.memory = 1;
    constexpr size_t count = 2;
    const CudaStream streams[count];
    const CudaBuffer packed[count] = {CudaBuffer(expected.packed().size()), CudaBuffer(expected.packed().size())};
    marlin_status statuses[count] = {};
    std::vector<std::thread> threads;
    for (size_t t = 0; t < count; ++t)
        threads.emplace_back([&, t] {
            marlin_handle_desc handle_desc = cuda_desc();
            handle_desc.stream = streams[t];
            marlin_handle_t handle = nullptr;
            statuses[t] = marlin_handle_create(&handle_desc, &handle);
            auto weights = with_size<marlin_weights>();
            for (int round = 0; round < 5 && statuses[t] == MARLIN_SUCCESS; ++round)
                statuses[t] = marlin_pack(handle, &desc, &input, packed[t].data(), packed[t].size(), &weights);
            marlin_handle_destroy(handle);
        });
    for (std::thread &thread : threads)
        thread.join();
    for (size_t t = 0; t < count; ++t) {
        CHECK(statuses[t] == MARLIN_SUCCESS);
        CHECK(starts_with(packed[t].bytes(), expected.packed().data(), expected.get()->data_size));
    }
}
#endif
