// Which problems a run measures: arguments, @files, a grid, or the short built-in list.
#pragma once

#include <string>
#include <vector>

#include "common/problem.h"

namespace marlin::bench {

// Every argument is a problem or @file with one problem a line; what follows # is a comment, so that lines of the
// library's log can be pasted. None and no grid: a short list that fits both devices.
std::vector<Problem> collect_problems(const std::vector<std::string> &arguments, const std::string &grid,
                                      const std::string &part);

// Part I of N, as "I/N". Problems of one shape stay together, as they share their weights; shapes are dealt out by the
// time they take, so that the parts take about as long as each other.
std::vector<Problem> part_of(const std::vector<Problem> &problems, const std::string &part);

} // namespace marlin::bench
