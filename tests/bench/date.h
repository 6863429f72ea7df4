// The date that results carry.
#pragma once

#include <ctime>
#include <string>

namespace marlin::bench {

// UTC, ISO 8601.
inline std::string date_now() {
    const std::time_t now = std::time(nullptr);
    std::tm utc = {};
    gmtime_r(&now, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

} // namespace marlin::bench
