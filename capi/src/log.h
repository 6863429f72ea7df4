// The process-wide log: level and receiver.
#pragma once

#include <string_view>

#include "marlin/marlin.h"

namespace marlin::capi {

bool log_wants(marlin_log_level level) noexcept;
void log_message(marlin_log_level level, std::string_view text) noexcept;
// "marlin_gemm: lda is 100, ..." at MARLIN_LOG_ERROR.
void log_failure(const char *function, std::string_view text) noexcept;
// Takes the level from the environment unless marlin_set_log came first.
void log_read_environment() noexcept;

} // namespace marlin::capi
