// Packing and unpacking as problems in text form: "pack gptq g128 n8192 k28672", "unpack f16 g128 n8192 k28672 nxk".
#pragma once

#include <string>

#include "pack/request.h"

namespace marlin::bench {

struct PackProblem {
    bool unpack = false;
    PackRequest request; // without arrays; of an unpack: what is packed first
    Type dst_type = Type::F16;
    Order dst_order = Order::KxN;
};

// Words in any order behind the first two.
//   pack SOURCE     gptq, awq, ct, marlin: packed words; s4, u4: codes; f16, bf16, f32: values
//   unpack TYPE     f16, bf16, f32: values; s4, u4: codes
//   gN or gcol, nN, kN
//   nxk             one row for each output feature
//   s24             2:4, selected while packing
//   perm            act-order
//   lsq             values: least squares instead of min-max
//   zu8, zf16, ...  values: zero points or offsets; codes: that the source has them
PackProblem pack_problem(const std::string &text);

// The problems measured when none are named: every source, group 128, and each of the options once.
const std::vector<std::string> &pack_problems();

} // namespace marlin::bench
