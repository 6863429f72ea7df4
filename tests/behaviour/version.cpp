// Version and build information of the library that is loaded.
#include <string>

#include "support/api.h"

namespace {

// The string behind a key of a flat JSON object; "?" where there is none.
std::string value_of(const std::string &json, const std::string &key) {
    const std::string quoted = "\"" + key + "\": \"";
    const size_t begin = json.find(quoted);
    if (begin == std::string::npos)
        return "?";
    return json.substr(begin + quoted.size(), json.find('"', begin + quoted.size()) - begin - quoted.size());
}

// Braces, brackets and quotes in pairs, in order.
bool is_balanced(const std::string &json) {
    std::string open;
    bool in_string = false;
    for (const char c : json) {
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            continue;
        else if (c == '{' || c == '[')
            open.push_back(c);
        else if (c == '}' || c == ']') {
            if (open.empty() || open.back() != (c == '}' ? '{' : '['))
                return false;
            open.pop_back();
        }
    }
    return open.empty() && !in_string;
}

} // namespace

TEST_CASE("the library loaded is of the version of the header") {
    CHECK(marlin_version() == MARLIN_VERSION);
    CHECK(MARLIN_VERSION == 10000 * MARLIN_VERSION_MAJOR + 100 * MARLIN_VERSION_MINOR + MARLIN_VERSION_PATCH);
}

TEST_CASE("build information is a JSON object that agrees with the header") {
    const std::string json = marlin_build_info();
    CHECK(json == marlin_build_info());
    CHECK(json.front() == '{');
    CHECK(json.back() == '}');
    CHECK(is_balanced(json));
    CHECK(json.find('\\') == std::string::npos);
    CHECK(value_of(json, "version") == std::to_string(MARLIN_VERSION_MAJOR) + "." +
                                           std::to_string(MARLIN_VERSION_MINOR) + "." +
                                           std::to_string(MARLIN_VERSION_PATCH));
    CHECK(value_of(json, "commit") != "?");
    CHECK_FALSE(value_of(json, "compiler").empty());
    const std::string cuda = value_of(json, "cuda");
    CHECK(cuda != "?");
    CHECK(value_of(json, "architectures").empty() == cuda.empty());
    const size_t kernels = json.find("\"cpu_kernels\": [\"reference\"");
    CHECK(kernels != std::string::npos);
    for (const char *isa : {"\"avx2\"", "\"avx512\"", "\"avx512_bf16\""})
        CHECK(json.find(isa, kernels) != std::string::npos);
}

// A library built without CUDA says so when asked for a GPU, and one built with CUDA names another reason.
TEST_CASE("build information tells why there is no CUDA") {
    auto desc = marlin::test::with_size<marlin_handle_desc>();
    desc.device = MARLIN_DEVICE_CUDA;
    marlin_handle_t handle = nullptr;
    if (marlin_handle_create(&desc, &handle) == MARLIN_SUCCESS) {
        CHECK_FALSE(value_of(marlin_build_info(), "cuda").empty());
        marlin_handle_destroy(handle);
        return;
    }
    const bool built_without =
        marlin::test::last_error(nullptr).find("this library was built without CUDA") != std::string::npos;
    CHECK(built_without == value_of(marlin_build_info(), "cuda").empty());
}
