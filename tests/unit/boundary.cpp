// Where C++ ends: every exception becomes a status and a text, and descriptors of other versions are read. What no
// program can provoke through the interface (MARLIN_INTERNAL_ERROR, a struct shorter than this version's) is tested
// here.
#include "boundary.h"

#include <stdexcept>
#include <string>

#include "support/catch.h"
#include "support/errors.h"

using namespace marlin;
using namespace marlin::capi;

namespace {

std::string text_of(const ErrorText &text) {
    std::string copy(text.copy(nullptr, 0), '\0');
    text.copy(copy.data(), copy.size() + 1);
    return copy;
}

// What translate() makes of a body that throws `thrown`.
template <typename Thrown>
void check_translation(const Thrown &thrown, marlin_status status, const std::string &text) {
    ErrorText sink;
    CHECK(translate("marlin_test", sink, [&] { throw thrown; }) == status);
    CHECK(text_of(sink) == text);
}

struct Settings {
    uint32_t struct_size;
    int32_t first;
    int32_t second; // appended later
    int32_t third;
};

} // namespace

TEST_CASE("exceptions become a status and their text") {
    for (int32_t status = 1; status <= MARLIN_INTERNAL_ERROR; ++status)
        check_translation(Error(static_cast<Status>(status), "x is 1, expected 2"), static_cast<marlin_status>(status),
                          "x is 1, expected 2");
    check_translation(std::bad_alloc(), MARLIN_OUT_OF_MEMORY, "host memory is exhausted");
    check_translation(std::bad_array_new_length(), MARLIN_OUT_OF_MEMORY, "host memory is exhausted");
    check_translation(std::runtime_error("not ours"), MARLIN_INTERNAL_ERROR, "not ours");
    check_translation(42, MARLIN_INTERNAL_ERROR, "an unknown exception");
    ErrorText sink;
    sink.set("before");
    CHECK(translate("marlin_test", sink, [] {}) == MARLIN_SUCCESS);
    CHECK(text_of(sink) == "before");
}

TEST_CASE("a failure is logged with the function's name, and a receiver that throws changes nothing") {
    std::string logged;
    marlin_set_log([](void *user, marlin_log_level, const char *text) { *static_cast<std::string *>(user) = text; },
                   &logged, MARLIN_LOG_ERROR);
    check_translation(Error(Status::NotSparse, "row 8"), MARLIN_NOT_SPARSE, "row 8");
    CHECK(logged == "marlin_test: row 8");
    marlin_set_log([](void *, marlin_log_level, const char *) { throw std::runtime_error("against the rules"); },
                   nullptr, MARLIN_LOG_ERROR);
    check_translation(Error(Status::NotSparse, "row 9"), MARLIN_NOT_SPARSE, "row 9");
    marlin_set_log(nullptr, nullptr, MARLIN_LOG_OFF);
}

TEST_CASE("error texts are cut to their room, not written behind it") {
    ErrorText text;
    const std::string longer(5000, 'x');
    text.set(longer);
    const std::string kept = text_of(text);
    CHECK(kept.size() > 900);
    CHECK(kept.size() < 5000);
    CHECK(longer.compare(0, kept.size(), kept) == 0);
    text.set("short");
    CHECK(text_of(text) == "short");
}

TEST_CASE("a struct from an older header is filled up with zeros, down to the first one released") {
    Settings settings = {8, 7, 8, 9};
    const Settings old = read_struct(&settings, "settings", 8);
    CHECK(old.first == 7);
    CHECK(old.second == 0);
    CHECK(old.third == 0);
    settings.struct_size = 12;
    const Settings newer = read_struct(&settings, "settings", 8);
    CHECK(newer.second == 8);
    CHECK(newer.third == 0);
    settings.struct_size = 7;
    const Error error = test::error_of([&] { read_struct(&settings, "settings", 8); });
    CHECK(error.text() == "settings.struct_size is 7, expected sizeof the struct, 16");
}

TEST_CASE("an output struct of an older header gets its part only") {
    Settings settings = {8, -1, -2, -3};
    check_output(&settings, "settings", 8);
    write_struct(&settings, Settings{0, 1, 2, 3});
    CHECK(settings.struct_size == 8);
    CHECK(settings.first == 1);
    CHECK(settings.second == -2);
    CHECK(settings.third == -3);
}

TEST_CASE("ranges overlap where they share a byte") {
    const auto *base = reinterpret_cast<const char *>(uintptr_t{1000});
    CHECK(overlap(base, 10, base, 10));
    CHECK(overlap(base, 10, base + 9, 1));
    CHECK(overlap(base + 9, 1, base, 10));
    CHECK_FALSE(overlap(base, 10, base + 10, 1));
    CHECK_FALSE(overlap(base + 10, 1, base, 10));
    CHECK_FALSE(overlap(base, 0, base, 10));
    CHECK_FALSE(overlap(base, 10, base + 5, 0));
    CHECK(overlap(base, INT64_MAX, base + 5, INT64_MAX));
}
