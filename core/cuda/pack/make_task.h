// From a request that was checked to what the kernels of packing want to know.
#pragma once

#include <vector>

#include "cuda/pack/task.h"
#include "pack/prepare.h"

namespace marlin::cuda {

// Rows of each source group in the order of the source's scales, empty spans for groups without rows; nothing at all
// where every source group is one packed group.
std::vector<RowSpan> long_groups(const PackRequest &request, const PreparedPack &prepared);

// Everything but failed_column, spans and params. The row order, importance and column scales are those of `request`
// and `prepared`: a caller whose kernels cannot read them there replaces them by copies.
PackTask make_task(const PackRequest &request, const PreparedPack &prepared, std::byte *body);

} // namespace marlin::cuda
