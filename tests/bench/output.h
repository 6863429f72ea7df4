// What a run leaves: the same results as a table for people, as JSON and as CSV.
#pragma once

#include <string>

namespace marlin::bench {

struct Output {
    std::string table;
    std::string json;
    std::string csv;
    int missing = 0; // problems without a result
};

} // namespace marlin::bench
