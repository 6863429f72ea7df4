// Reading problems from arguments and files.
#include "problems.h"

#include <fstream>

#include "common/error.h"

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
    if (problem.act_order)
        fail(Status::NotSupported, "problem \"{}\": perm is not measured", text);
    problems.push_back(problem);
}

} // namespace

std::vector<Problem> collect_problems(const std::vector<std::string> &arguments) {
    std::vector<Problem> problems;
    if (arguments.empty())
        for (const char *text : kDefaults)
            add(problems, text);
    for (const std::string &argument : arguments) {
        if (argument.empty() || argument[0] != '@') {
            add(problems, argument);
            continue;
        }
        std::ifstream file(argument.substr(1));
        if (!file)
            fail(Status::InvalidArgument, "{} cannot be read, expected a file with one problem a line",
                 argument.substr(1));
        for (std::string line; std::getline(file, line);)
            add(problems, line);
    }
    return problems;
}

} // namespace marlin::bench
