// What dense and 2:4 CUDA kernels alike must pass.
#pragma once

#include <span>
#include <string_view>

#include "backend.h"

namespace marlin::test {

// Every kernel whose name begins with `names` multiplies right what of the problems it can run; a problem is
// `operation`, the type of A that the kernel takes, and one of `rests`. Returns how many kernels ran one or more.
int check_every_kernel(Backend &backend, std::string_view names, std::string_view operation,
                       std::span<const char *const> rests);

// Every third row has the same bits alone as in the batch.
void check_rows_alone(Backend &backend, const Problem &problem);

// The first m rows have the same bits in a batch of m as in the whole one, for every m.
void check_every_batch(Backend &backend, const Problem &problem);

// So many multiplies give the same bits.
void check_runs(Backend &backend, const Problem &problem, int runs = 1000);

// A hundred pairs of multiplies, the second of which reads what the first wrote as A and as bias, give the same bits
// with dependent launches. n is k, bias and C have the type of A.
void check_dependent_launches(Backend &backend, const Problem &problem);

} // namespace marlin::test
