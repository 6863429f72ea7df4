// marlin_set_log, and where messages go.
#include "log.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

namespace marlin::capi {
namespace {

std::atomic<int> level = MARLIN_LOG_OFF;
std::atomic<bool> level_chosen = false;

// The pair changes together; the receiver itself runs outside the lock.
struct Receiver {
    marlin_log_fn fn = nullptr;
    void *user = nullptr;
};
std::mutex receiver_mutex;
Receiver receiver;

} // namespace

bool log_wants(marlin_log_level wanted) noexcept {
    return level.load(std::memory_order_relaxed) >= static_cast<int>(wanted);
}

void log_message(marlin_log_level message_level, std::string_view text) noexcept {
    if (!log_wants(message_level))
        return;
    try {
        const std::string message(text);
        Receiver to;
        {
            const std::lock_guard lock(receiver_mutex);
            to = receiver;
        }
        if (to.fn != nullptr)
            to.fn(to.user, message_level, message.c_str());
        else
            std::fprintf(stderr, "libmarlin: %s\n", message.c_str());
    } catch (...) {
        // A message lost for want of memory must not fail the call that it speaks of.
        return;
    }
}

void log_failure(const char *function, std::string_view text) noexcept {
    if (!log_wants(MARLIN_LOG_ERROR))
        return;
    try {
        log_message(MARLIN_LOG_ERROR, std::string(function).append(": ").append(text));
    } catch (...) {
        log_message(MARLIN_LOG_ERROR, text);
    }
}

void log_read_environment() noexcept {
    if (level_chosen.exchange(true))
        return;
    const char *value = std::getenv("MARLIN_LOG");
    if (value == nullptr)
        return;
    constexpr std::string_view names[] = {"off", "error", "warning", "calls"};
    for (int i = 0; i < 4; ++i)
        if (names[i] == value)
            level = i;
}

} // namespace marlin::capi

extern "C" void marlin_set_log(marlin_log_fn fn, void *user, marlin_log_level level) {
    using namespace marlin::capi;
    const std::lock_guard lock(receiver_mutex);
    receiver = {fn, user};
    level_chosen = true;
    marlin::capi::level = level;
}
