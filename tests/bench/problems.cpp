// Reading problems from arguments and files, and dividing them.
#include "problems.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>

#include "common/error.h"
#include "grid.h"

namespace marlin::bench {
namespace {

constexpr const char *kDefaults[] = {
    "gemm f16 s4 g128 m1 n8192 k8192",    "gemm f16 s4 g128 m8 n8192 k8192",     "gemm f16 s4 g128 m64 n8192 k8192",
    "gemm bf16 s4 g128 m1 n8192 k8192",   "gemm bf16 s4 g128 m8 n8192 k8192",    "gemm bf16 s4 g128 m64 n8192 k8192",
    "gemm f32 s4 g128 m1 n8192 k8192",    "gemm f16 u4 g32 m1 n8192 k8192 zf16", "sp_gemm f16 s4 g128 m1 n8192 k8192",
    "sp_gemm f16 s4 g128 m8 n8192 k8192", "sp_gemm f16 s4 g128 m64 n8192 k8192",
};

void add(std::vector<Problem> &problems, std::string text) {
    text = text.substr(0, text.find('#'));
    if (text.find_first_not_of(" \t\r\n") == std::string::npos)
        return;
    Problem problem = problem_from_text(text);
    if (problem.bias_type == Type::None)
        problem.bias_type = problem.c_type;
    if (problem.m == 0)
        fail(Status::InvalidArgument, "problem \"{}\": m is 0, expected at least 1 to measure", text);
    problems.push_back(problem);
}

void add_file(std::vector<Problem> &problems, const std::string &path) {
    std::ifstream file(path);
    if (!file)
        fail(Status::InvalidArgument, "{} cannot be read, expected a file with one problem a line", path);
    for (std::string line; std::getline(file, line);)
        add(problems, line);
}

// Both numbers of "I/N".
std::pair<int, int> read_part(const std::string &text) {
    int numbers[2] = {0, 0};
    const char *const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, numbers[0]);
    if (first.ec == std::errc() && first.ptr != end && *first.ptr == '/') {
        const auto second = std::from_chars(first.ptr + 1, end, numbers[1]);
        if (second.ec == std::errc() && second.ptr == end && numbers[0] >= 1 && numbers[0] <= numbers[1])
            return {numbers[0], numbers[1]};
    }
    fail(Status::InvalidArgument, "part is \"{}\", expected I/N with I from 1 to N", text);
}

} // namespace

std::vector<Problem> collect_problems(const std::vector<std::string> &arguments, const std::string &grid,
                                      const std::string &part) {
    std::vector<Problem> problems;
    for (const std::string &argument : arguments) {
        if (!argument.empty() && argument[0] == '@')
            add_file(problems, argument.substr(1));
        else
            add(problems, argument);
    }
    if (!grid.empty())
        for (const std::string &text : grid_problems(grid))
            add(problems, text);
    if (arguments.empty() && grid.empty())
        for (const char *text : kDefaults)
            add(problems, text);
    return part_of(problems, part);
}

std::vector<Problem> part_of(const std::vector<Problem> &problems, const std::string &part) {
    const auto [number, count] = read_part(part);
    using Shape = std::pair<int64_t, int64_t>;
    std::map<Shape, double> cost;
    for (const Problem &p : problems) // about: making weights, and multiplying
        cost[{p.n, p.k}] += static_cast<double>(p.n) * static_cast<double>(p.k) * (1000.0 + static_cast<double>(p.m));
    std::vector<std::pair<double, Shape>> dearest;
    for (const auto &[shape, operations] : cost)
        dearest.emplace_back(operations, shape);
    std::sort(dearest.rbegin(), dearest.rend());
    std::vector<double> load(static_cast<size_t>(count), 0.0);
    std::map<Shape, int> owner;
    for (const auto &[operations, shape] : dearest) {
        const auto least = std::min_element(load.begin(), load.end());
        *least += operations;
        owner[shape] = static_cast<int>(least - load.begin()) + 1;
    }
    std::vector<Problem> result;
    for (const Problem &p : problems)
        if (owner[{p.n, p.k}] == number)
            result.push_back(p);
    return result;
}

} // namespace marlin::bench
