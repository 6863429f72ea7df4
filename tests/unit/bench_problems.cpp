// What marlin_bench measures: the grids, and their division into parts.
#include <algorithm>
#include <map>
#include <set>

#include "bench/grid.h"
#include "bench/problems.h"
#include "support/catch.h"
#include "support/errors.h"

using namespace marlin;
using bench::collect_problems;

namespace {

std::vector<std::string> texts(const std::vector<Problem> &problems) {
    std::vector<std::string> result;
    for (const Problem &problem : problems)
        result.push_back(to_text(problem));
    return result;
}

bool has(const std::vector<std::string> &list, const char *text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

} // namespace

TEST_CASE("the full grid has every shape and batch, dense and 2:4, and each kind of weights") {
    const auto list = texts(collect_problems({}, "full", "1/1"));
    CHECK(std::set<std::string>(list.begin(), list.end()).size() == list.size());
    CHECK(list.size() == 2 * (8 * 15 + 8 * 2 * 4));
    CHECK(has(list, "gemm f16 s4 g128 m1 n4096 k4096"));
    CHECK(has(list, "sp_gemm f16 s4 g128 m4096 n73728 k18432"));
    CHECK(has(list, "gemm f16 s4 g128 m48 n6144 k4096"));
    for (const char *kind :
         {"gemm bf16 s4 g128 m16 n8192 k28672", "gemm f16 u4 g128 m16 n8192 k28672", "gemm f16 s4 g32 m16 n8192 k28672",
          "gemm f16 s4 g64 m16 n8192 k28672", "gemm f16 s4 gcol m16 n8192 k28672",
          "gemm f16 s4 g128 m16 n8192 k28672 perm", "gemm f16 s4 g128 m16 n8192 k28672 bias"}) {
        CAPTURE(kind);
        CHECK(has(list, kind));
    }
}

TEST_CASE("parts of a grid are all of it, once, and keep shapes together") {
    const auto whole = texts(collect_problems({}, "full", "1/1"));
    std::vector<std::string> joined;
    std::map<std::pair<int64_t, int64_t>, int> owner;
    for (int part = 1; part <= 3; ++part) {
        const auto problems = collect_problems({}, "full", std::to_string(part) + "/3");
        CHECK(!problems.empty());
        for (const Problem &p : problems) {
            joined.push_back(to_text(p));
            CHECK(owner.emplace(std::pair(p.n, p.k), part).first->second == part);
        }
    }
    CHECK(joined.size() == whole.size());
    CHECK(std::set<std::string>(joined.begin(), joined.end()) == std::set<std::string>(whole.begin(), whole.end()));
}

TEST_CASE("arguments come before the grid, and an empty choice has a short list") {
    const auto list = collect_problems({"gemm f16 s4 m3 n64 k128 # a comment"}, "quick", "1/1");
    CHECK(to_text(list.front()) == "gemm f16 s4 g128 m3 n64 k128");
    CHECK(list.size() > 1);
    CHECK(collect_problems({"gemm f16 s4 m3 n64 k128"}, "", "1/1").size() == 1);
    CHECK(!collect_problems({}, "", "1/1").empty());
}

TEST_CASE("what cannot be measured is refused with the word") {
    const auto refused = [](const std::vector<std::string> &arguments, const char *grid, const char *part,
                            const char *named) {
        const Error error = test::error_of([&] { collect_problems(arguments, grid, part); });
        CAPTURE(error.text(), named);
        CHECK(error.status() == Status::InvalidArgument);
        CHECK(test::contains(error.text(), named));
    };
    refused({"gemm f16 s4 m0 n64 k128"}, "", "1/1", "m is 0");
    refused({"@no/such/file"}, "", "1/1", "no/such/file");
    refused({}, "huge", "1/1", "grid is \"huge\"");
    for (const char *part : {"", "1", "1/", "/2", "0/2", "3/2", "1/2/3", "a/b", "1/2x", "-1/2"})
        refused({}, "quick", part, "part is");
}
