// The same bad calls in every language: what the library answers here is what refusals.json says, word for word. The
// bindings' tests go through the same file.
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/api.h"
#include "support/float_formats.h"
#include "support/guarded.h"

namespace marlin::test {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kK = 64;
constexpr int64_t kN = 16;
constexpr int64_t kGroups = 2;
const std::string kFolder = MARLIN_TESTS_DIR "/golden/";

struct Answer {
    marlin_status status;
    std::string text;
};

Answer answer(marlin_status status, marlin_handle_t handle) {
    return {status, last_error(handle)};
}

Answer create_handle(const ordered_json &call) {
    marlin_handle_desc desc = cpu_desc(call["num_threads"]);
    desc.device_id = call["device_id"];
    marlin_handle_t handle = nullptr;
    const marlin_status status = marlin_handle_create(&desc, &handle);
    CHECK(handle == nullptr);
    marlin_handle_destroy(handle);
    return answer(status, nullptr);
}

Answer set_option(const ordered_json &call, marlin_handle_t handle) {
    const marlin_option option = call["option"] == "MATH" ? MARLIN_OPTION_MATH : MARLIN_OPTION_SM_COUNT;
    return answer(marlin_handle_set_option(handle, option, call["value"]), handle);
}

Answer pack(const ordered_json &call, marlin_handle_t handle) {
    const bool codes = call.value("src_type", "f32") == "s4";
    std::vector<float> values(kK * kN, 1.0f);
    std::vector<int8_t> whole(kK * kN, 1);
    std::vector<uint16_t> scales(kGroups * kN, encode_half(1.0, kF16));
    if (call.contains("value"))
        values[call["value"]["k"].get<size_t>() * kN + call["value"]["n"].get<size_t>()] =
            std::numeric_limits<float>::quiet_NaN();
    if (call.contains("code"))
        whole[call["code"]["k"].get<size_t>() * kN + call["code"]["n"].get<size_t>()] = call["code"]["is"];
    if (call.contains("scale"))
        scales[call["scale"]["group"].get<size_t>() * kN + call["scale"]["n"].get<size_t>()] = 0x7c00;
    auto desc = with_size<marlin_pack_desc>();
    desc.k = kK;
    desc.n = kN;
    desc.group_size = call.value("group_size", 32);
    desc.src_type = codes ? MARLIN_TYPE_S4 : MARLIN_TYPE_F32;
    desc.src_scale_type = codes ? MARLIN_TYPE_F16 : MARLIN_TYPE_NONE;
    desc.sparsity = call.contains("sparsity") ? MARLIN_SPARSITY_ALREADY_24 : MARLIN_SPARSITY_DENSE;
    auto input = with_size<marlin_pack_input>();
    input.src = codes ? static_cast<const void *>(whole.data()) : values.data();
    input.src_size = codes ? whole.size() : values.size() * sizeof(float);
    input.scales = codes ? scales.data() : nullptr;
    input.scales_size = codes ? scales.size() * sizeof(uint16_t) : 0;
    GuardedBuffer packed(65536);
    auto weights = with_size<marlin_weights>();
    const marlin_status status = marlin_pack(handle, &desc, &input, packed.data(), packed.size(), &weights);
    CHECK(packed.untouched());
    return answer(status, handle);
}

// A golden file in 256-byte aligned memory.
struct PackedFile {
    explicit PackedFile(const std::string &name) : bytes(contents(name)), memory(bytes.size()) {
        std::copy(bytes.begin(), bytes.end(), memory.as<char>());
    }
    static std::string contents(const std::string &name) {
        std::ifstream file(kFolder + name, std::ios::binary);
        REQUIRE(file.good());
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::string bytes;
    GuardedBuffer memory;
};

Answer attach(const ordered_json &call, marlin_handle_t handle) {
    PackedFile file(call["file"]);
    if (call.contains("byte"))
        file.memory.as<unsigned char>()[call["byte"].get<size_t>()] ^= call["xor"].get<unsigned char>();
    auto weights = with_size<marlin_weights>();
    return answer(marlin_weights_attach(handle, file.memory.data(), call.value("size", file.memory.size()), &weights),
                  handle);
}

Answer multiply(const ordered_json &call, marlin_handle_t handle) {
    PackedFile file(call["file"]);
    auto weights = with_size<marlin_weights>();
    REQUIRE(marlin_weights_attach(handle, file.memory.data(), file.memory.size(), &weights) == MARLIN_SUCCESS);
    auto desc = with_size<marlin_gemm_desc>();
    desc.m = 3;
    desc.c_type = MARLIN_TYPE_F32;
    const std::vector<uint16_t> a(static_cast<size_t>(desc.m * weights.k));
    GuardedBuffer c(static_cast<size_t>(desc.m * weights.n) * sizeof(float));
    const auto call_of = call["sparse"].get<bool>() ? marlin_sp_gemm : marlin_gemm;
    const marlin_status status = call_of(handle, &desc, a.data(), &weights, c.data());
    CHECK(c.untouched());
    return answer(status, handle);
}

Answer make(const ordered_json &call, marlin_handle_t handle) {
    const std::string kind = call["call"];
    if (kind == "handle")
        return create_handle(call);
    if (kind == "option")
        return set_option(call, handle);
    if (kind == "pack")
        return pack(call, handle);
    return kind == "attach" ? attach(call, handle) : multiply(call, handle);
}

} // namespace

TEST_CASE("bad calls are refused with the words that all languages expect", "[golden]") {
    ordered_json refusals = ordered_json::parse(std::ifstream(kFolder + "refusals.json"));
    // With MARLIN_GOLDEN_WRITE in the environment the answers are written: for new cases, or words that were changed on
    // purpose.
    const bool writes = std::getenv("MARLIN_GOLDEN_WRITE") != nullptr;
    Handle handle;
    for (ordered_json &call : refusals["cases"]) {
        CAPTURE(call["name"].get<std::string>());
        const Answer found = make(call, handle);
        if (writes) {
            call["status"] = marlin_status_name(found.status);
            call["text"] = found.text;
        }
        CHECK(found.status != MARLIN_SUCCESS);
        CHECK(marlin_status_name(found.status) == call.value("status", ""));
        CHECK(found.text == call.value("text", ""));
        PackedFile good("cpu_draft_s4_f16_g32.bin");
        auto weights = with_size<marlin_weights>();
        CHECK(marlin_weights_attach(handle, good.memory.data(), good.memory.size(), &weights) == MARLIN_SUCCESS);
    }
    if (writes)
        std::ofstream(kFolder + "refusals.json") << refusals.dump(2) << "\n";
}

} // namespace marlin::test
