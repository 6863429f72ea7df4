// Packing and unpacking by kernels against the CPU: the same bytes, the same refusals, nothing written beside them.
#include <cstring>
#include <limits>

#include "common/error.h"
#include "cuda/pack.h"
#include "support/catch.h"
#include "support/pack_cases.h"
#include "support/pack_ways.h"

using namespace marlin;
using namespace marlin::test;
using cuda::DeviceMemory;
using cuda::WorkPlace;

namespace {

constexpr std::byte kUntouched{0xa5};

class SerialFor final : public ParallelFor {
public:
    void run(int64_t count, void (*body)(void *, int64_t, int64_t), void *context) override { body(context, 0, count); }
};

class DeviceBytes {
public:
    explicit DeviceBytes(size_t size) : memory_(0, size) {
        cuda::fill_bytes(memory_.data(), std::to_integer<uint8_t>(kUntouched), size, nullptr);
    }
    DeviceBytes(const void *bytes, size_t size) : DeviceBytes(size) {
        cuda::copy_to_device(memory_.data(), bytes, size, nullptr);
    }
    std::byte *data() const { return static_cast<std::byte *>(memory_.data()); }
    std::span<std::byte> span() const { return {data(), memory_.size()}; }
    std::vector<std::byte> bytes() const {
        std::vector<std::byte> result(memory_.size());
        cuda::copy_to_host(result.data(), memory_.data(), result.size(), nullptr);
        return result;
    }

private:
    DeviceMemory memory_;
};

// The arrays of a case in device memory, as badly aligned as on the host.
class OnDevice {
public:
    explicit OnDevice(const PackCase &c) : request(c.request) {
        request.src = copy(c.request.src, c.spec.misalignment);
        request.scales = copy(c.request.scales, c.spec.misalignment);
        request.zeros = copy(c.request.zeros, c.spec.misalignment);
        request.g_idx = copy(c.request.g_idx, 0);
        request.importance = copy(c.request.importance, 0);
        request.column_scales = copy(c.request.column_scales, 0);
    }
    PackRequest request;

private:
    template <typename T>
    std::span<const T> copy(std::span<const T> host, int64_t offset) {
        if (host.empty())
            return {};
        arrays_.emplace_back(host.size_bytes() + static_cast<size_t>(offset));
        std::byte *const at = arrays_.back().data() + offset;
        cuda::copy_to_device(at, host.data(), host.size_bytes(), nullptr);
        return {reinterpret_cast<const T *>(at), host.size()};
    }
    std::vector<DeviceBytes> arrays_;
};

template <typename Call>
std::string refusal_of(Call call) {
    try {
        call();
    } catch (const Error &error) {
        return fmt::format("{}: {}", static_cast<int>(error.status()), error.text());
    }
    return {};
}

// Packs on the CPU and on the GPU; returns what both refused with, empty if they packed.
std::string expect_same(const PackCase &c, bool host_input, const WorkPlace &place) {
    const auto size = static_cast<size_t>(packed_size(plan_pack(c.request)));
    std::vector<std::byte> storage(size + 512, kUntouched);
    auto *const aligned = storage.data() + (256 - reinterpret_cast<uintptr_t>(storage.data()) % 256);
    SerialFor serial;
    WeightsView expected;
    const std::string refusal = refusal_of([&] { expected = pack_host(c.request, std::span(aligned, size), serial); });

    const OnDevice device(c);
    const DeviceBytes packed(size + 64);
    WeightsView found;
    const std::string found_refusal = refusal_of([&] {
        found =
            cuda::pack_on_device(host_input ? c.request : device.request, host_input, packed.span().first(size), place);
    });
    CHECK(found_refusal == refusal);
    const std::vector<std::byte> bytes = packed.bytes();
    CHECK(std::memcmp(bytes.data(), aligned, size) == 0);
    CHECK(std::vector<std::byte>(bytes.end() - 64, bytes.end()) == std::vector<std::byte>(64, kUntouched));
    if (!refusal.empty())
        return refusal;
    CHECK(found.body == packed.data() + kHeaderSize);
    CHECK(found.k == expected.k);
    CHECK(found.shape().k_packed == expected.shape().k_packed);
    CHECK((found.perm == nullptr) == (expected.perm == nullptr));
    return {};
}

} // namespace

TEST_CASE("A GPU packs what the CPU packs, for requests drawn from all that there are", "[gpu]") {
    const DeviceBytes workspace(1 << 16);
    int packed_count = 0;
    for (uint64_t seed = 1; seed <= 600; ++seed) {
        const PackSpec spec = random_spec(seed);
        INFO(describe(spec));
        const PackCase c(spec);
        WorkPlace place;
        if (seed % 2 == 0) {
            place.workspace = workspace.data();
            place.workspace_size = 1 << 16;
        }
        packed_count += expect_same(c, seed % 5 == 0, place).empty() ? 1 : 0;
    }
    CHECK(packed_count > 500);
}

TEST_CASE("A GPU packs layers of many tiles as the CPU does", "[gpu][reduced]") {
    for (uint64_t seed = 7001; seed <= 7040; ++seed) {
        PackSpec spec = random_spec(seed);
        spec.request.k = 1024 + 64 * static_cast<int64_t>(seed % 3);
        spec.request.n = 512;
        spec.request.ld_src = 0;
        spec.misalignment = 0;
        INFO(describe(spec));
        expect_same(PackCase(spec), false, {});
    }
}

TEST_CASE("A GPU packs whole layers as the CPU does, each source, order and layout by its own kernels", "[gpu]") {
    for (const int64_t k : {512, 1088})
        for (const PackSpec &spec : whole_layers(k, 128)) {
            INFO(describe(spec));
            expect_same(PackCase(spec), false, {});
        }
}

TEST_CASE("A GPU packs layers of a few tiles by each of its kernels", "[gpu][reduced]") {
    const std::vector<PackSpec> specs = whole_layers(256, 64);
    for (size_t i = 0; i < specs.size(); i += 5) {
        INFO(describe(specs[i]));
        expect_same(PackCase(specs[i]), false, {});
    }
}

TEST_CASE("A GPU packs rows of any order in layers that fill its shared memory, and that do not fit", "[gpu]") {
    for (const int64_t k : {25600, 28672, 60032})
        for (const PackSpec &whole : whole_layers(k, 64)) {
            const PackRequest &r = whole.request;
            if (r.layout != Layout::Dense || r.group_size != 128 || whole.rows != Rows::Shuffled)
                continue;
            INFO(describe(whole));
            expect_same(PackCase(whole), false, {});
        }
}

TEST_CASE("A GPU refuses weights with the words of the CPU", "[gpu]") {
    const float bad[] = {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), 3e38f};
    int refused = 0;
    for (uint64_t seed = 9001; seed <= 9150; ++seed) {
        const PackSpec spec = random_spec(seed);
        INFO(describe(spec));
        PackCase c(spec);
        Random random(seed);
        // Two bad places, so that the first must be found.
        for (int i = 0; i < 2; ++i) {
            const float value = bad[random.between(0, 2)];
            const int64_t element =
                c.index(random.between(0, spec.request.k - 1), random.between(0, spec.request.n - 1));
            if (spec.request.source == Source::Plain && is_float(spec.request.src_type))
                c.put(c.src_data(), element, value, spec.request.src_type);
            else if (spec.request.source == Source::Plain && random.chance())
                c.src_data()[element] = static_cast<std::byte>(random.between(16, 100));
            else
                c.put(c.scales_data(), random.between(0, c.groups() * spec.request.n - 1), value,
                      spec.request.src_scale_type);
        }
        refused += expect_same(c, seed % 3 == 0, {}).empty() ? 0 : 1;
    }
    CHECK(refused > 100);
}

TEST_CASE("A GPU refuses what stands anywhere in a whole layer with the words of the CPU", "[gpu]") {
    int refused = 0;
    for (const PackSpec &spec : whole_layers(256, 128)) {
        INFO(describe(spec));
        PackCase c(spec);
        Random random(spec.seed);
        const PackRequest &r = c.request;
        const int64_t at = c.index(random.between(0, r.k - 1), random.between(0, r.n - 1));
        const float bad = random.chance() ? std::numeric_limits<float>::infinity() : NAN;
        if (r.source == Source::Plain && is_float(r.src_type))
            c.put(c.src_data(), at, bad, r.src_type);
        else if (r.source == Source::Plain && random.chance())
            c.src_data()[at] = static_cast<std::byte>(random.between(16, 100));
        else
            c.put(c.scales_data(), random.between(0, c.groups() * r.n - 1), bad, r.src_scale_type);
        refused += expect_same(c, false, {}).empty() ? 0 : 1;
    }
    CHECK(refused > 500);
}

TEST_CASE("A GPU refuses short arrays and weights that are not 2:4 with the words of the CPU", "[gpu]") {
    PackSpec spec;
    spec.request.source = Source::GptqV1;
    spec.request.src_scale_type = Type::F16;
    spec.request.k = 200;
    spec.request.n = 192;
    spec.request.group_size = 64;
    spec.request.layout = Layout::Sparse24Draft;
    spec.request.sparsity = Sparsity::Already24;
    {
        PackCase c(spec);
        CHECK(expect_same(c, false, {}).empty());
        c.src_data()[4 * 130] = std::byte{0x21};
        c.src_data()[4 * 130 + 1] = std::byte{0x43};
        CHECK(expect_same(c, false, {}).find("6: rows 0 .. 3 of column 130 have 4 nonzero weights") == 0);
    }
    spec.request.sparsity = Sparsity::Select24;
    spec.request.act_order = true;
    spec.rows = Rows::Ragged;
    spec.importance = true;
    spec.request.has_column_scales = true;
    PackCase c(spec);
    c.g_idx[150] = 4;
    CHECK(expect_same(c, false, {}).find("g_idx[150] is 4, expected 0 .. 3") != std::string::npos);
    c.g_idx[150] = 3;
    c.importance[77] = -1.0f;
    CHECK(expect_same(c, false, {}).find("importance of row 77 is -1") != std::string::npos);
    c.importance[77] = 0.0f;
    c.column_scales[3] = std::numeric_limits<float>::infinity();
    CHECK(expect_same(c, false, {}).find("column_scales[3] is inf") != std::string::npos);
    c.column_scales[3] = 1.0f;
    CHECK(expect_same(c, false, {}).empty());
}

TEST_CASE("A GPU unpacks what the CPU unpacks", "[gpu]") {
    int unpacked_count = 0;
    for (uint64_t seed = 5001; seed <= 5300; ++seed) {
        const PackSpec spec = random_spec(seed);
        INFO(describe(spec));
        const PackCase c(spec);
        const auto size = static_cast<size_t>(packed_size(plan_pack(c.request)));
        std::vector<std::byte> storage(size + 256);
        const std::span packed(storage.data() + (256 - reinterpret_cast<uintptr_t>(storage.data()) % 256), size);
        SerialFor serial;
        WeightsView view;
        if (!refusal_of([&] { view = pack_host(c.request, packed, serial); }).empty())
            continue;
        const DeviceBytes on_device(packed.data(), size);
        const WeightsView attached = cuda::attach_on_device(on_device.span(), {});

        UnpackCase expected(view, seed);
        const UnpackCase blank(view, seed);
        const DeviceBytes dst(blank.dst.data(), blank.dst.size());
        const DeviceBytes scales(blank.scales.data(), blank.scales.size());
        const DeviceBytes zeros(blank.zeros.data(), blank.zeros.size());
        const std::string refusal = refusal_of([&] { unpack_host(view, expected.over_own(), serial); });
        CHECK(refusal_of([&] {
                  cuda::unpack_on_device(attached, blank.over(dst.data(), scales.data(), zeros.data()), {});
              }) == refusal);
        CHECK(dst.bytes() == expected.dst);
        CHECK(scales.bytes() == expected.scales);
        CHECK(zeros.bytes() == expected.zeros);
        unpacked_count += refusal.empty() ? 1 : 0;
    }
    CHECK(unpacked_count > 250);
}
