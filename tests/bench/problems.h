// Which problems a run measures: arguments, @files, or the built-in list.
#pragma once

#include <string>
#include <vector>

#include "common/problem.h"

namespace marlin::bench {

// Every argument is a problem or @file with one problem a line; what follows # is a comment, so that lines of the
// library's log can be pasted. No arguments: the list that docs/performance.md shows.
std::vector<Problem> collect_problems(const std::vector<std::string> &arguments);

} // namespace marlin::bench
