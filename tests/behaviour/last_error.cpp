// marlin_last_error: whose text it is, how long it stays, and how it is cut; and the texts of statuses.
#include <cstring>
#include <set>
#include <thread>

#include "support/api.h"

using namespace marlin::test;

namespace {

void fail_once(marlin_handle_t handle, int64_t value) {
    CHECK(marlin_handle_set_option(handle, MARLIN_OPTION_MATH, value) == MARLIN_INVALID_ARGUMENT);
}

} // namespace

TEST_CASE("a handle that never failed has no error, and a success leaves the last one") {
    const Handle handle;
    char text[8] = "before";
    CHECK(marlin_last_error(handle, text, sizeof text) == 0);
    CHECK(std::string(text).empty());
    fail_once(handle, 77);
    CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_MATH, 0));
    CHECK(last_error(handle) == "MARLIN_OPTION_MATH is 77, expected 0 to 1");
    fail_once(handle, 78);
    CHECK(last_error(handle) == "MARLIN_OPTION_MATH is 78, expected 0 to 1");
}

TEST_CASE("every handle has its own last error, and NULL another") {
    const Handle first;
    const Handle second;
    CHECK(marlin_handle_create(nullptr, nullptr) == MARLIN_INVALID_ARGUMENT);
    fail_once(first, 5);
    fail_once(second, 6);
    CHECK(last_error(first) == "MARLIN_OPTION_MATH is 5, expected 0 to 1");
    CHECK(last_error(second) == "MARLIN_OPTION_MATH is 6, expected 0 to 1");
    CHECK_THAT(last_error(nullptr), Catch::Matchers::Contains("handle is NULL"));
}

TEST_CASE("errors without a handle belong to the thread that made them") {
    CHECK(marlin_handle_create(nullptr, nullptr) == MARLIN_INVALID_ARGUMENT);
    std::string before = "?";
    std::string after;
    std::thread other([&] {
        before = last_error(nullptr);
        marlin_handle_set_stream(nullptr, nullptr);
        after = last_error(nullptr);
    });
    other.join();
    CHECK(before.empty());
    CHECK_THAT(after, Catch::Matchers::Contains("handle is NULL, expected one"));
    CHECK_THAT(last_error(nullptr), Catch::Matchers::Contains("where to put the new handle"));
}

TEST_CASE("a handle's error can be read by the thread that uses it next") {
    const Handle handle;
    std::thread([&] { marlin_handle_set_option(handle, MARLIN_OPTION_MATH, 9); }).join();
    CHECK(last_error(handle) == "MARLIN_OPTION_MATH is 9, expected 0 to 1");
}

TEST_CASE("texts are cut to the buffer, terminated, and their full length is returned") {
    const Handle handle;
    fail_once(handle, 12);
    const std::string whole = "MARLIN_OPTION_MATH is 12, expected 0 to 1";
    CHECK(marlin_last_error(handle, nullptr, 0) == whole.size());
    for (size_t size = 0; size <= whole.size() + 3; ++size) {
        std::string text(whole.size() + 8, '\xaa');
        REQUIRE(marlin_last_error(handle, text.data(), size) == whole.size());
        const size_t kept = size == 0 ? 0 : std::min(size - 1, whole.size());
        REQUIRE(text.compare(0, kept, whole, 0, kept) == 0);
        if (size > 0)
            REQUIRE(text[kept] == '\0');
        REQUIRE(text.find_first_not_of('\xaa', size == 0 ? 0 : kept + 1) == std::string::npos);
    }
}

// Where the tests reach each of them through the interface: MARLIN_OUT_OF_MEMORY in memory.cpp (and cuda_handle.cpp),
// MARLIN_WORKSPACE_TOO_SMALL in workspace.cpp, MARLIN_BAD_PACKED_DATA in packed_files.cpp, MARLIN_NOT_SPARSE in
// not_sparse.cpp, MARLIN_NOT_SUPPORTED in enumerators.cpp, MARLIN_DEVICE_ERROR in cuda_handle.cpp on a GPU only.
// MARLIN_INTERNAL_ERROR cannot be provoked from outside: tests/unit/boundary.cpp has what leads to it.
TEST_CASE("every status has a name of its own and a sentence") {
    std::set<std::string> names;
    std::set<std::string> sentences;
    for (int status = MARLIN_SUCCESS; status <= MARLIN_INTERNAL_ERROR; ++status) {
        names.insert(marlin_status_name(static_cast<marlin_status>(status)));
        sentences.insert(marlin_status_string(static_cast<marlin_status>(status)));
    }
    CHECK(names.size() == 9);
    CHECK(sentences.size() == 9);
    for (const std::string &name : names)
        CHECK(name.rfind("MARLIN_", 0) == 0);
    for (const std::string &sentence : sentences)
        CHECK(sentence.back() == '.');
    CHECK(marlin_status_name(MARLIN_NOT_SUPPORTED) == std::string("MARLIN_NOT_SUPPORTED"));
    for (const int unknown : {9, 1000, static_cast<int>(MARLIN_STATUS_FORCE_32)}) {
        CHECK(names.count(marlin_status_name(static_cast<marlin_status>(unknown))) == 0);
        CHECK(std::strlen(marlin_status_string(static_cast<marlin_status>(unknown))) > 0);
    }
}
