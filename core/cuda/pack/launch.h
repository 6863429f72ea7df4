// The kernels of packing, one function each: they enqueue and return.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/pack/make_task.h"
#include "cuda/pack/order_rows.h"
#include "cuda/pack/pack_codes.h"
#include "cuda/pack/scan.h"
#include "cuda/pack/unpack_tile.h"

namespace marlin::cuda {

// Lowers *failed_column to kSomeColumn where the array, a whole number of vectors, reaches the limit.
cudaError_t launch_scan(const std::byte *array, int64_t size, const ScanLimit &limit, uint64_t *failed_column,
                        cudaStream_t stream);
// The order of rows, and a failure where it is not one that fills each group.
cudaError_t launch_order_rows(const OrderTask &task, cudaStream_t stream);
// Scales and zeros of a source of codes; a failure lowers *task.failed_column, as for all checks below.
cudaError_t launch_check_group_values(const PackTask &task, int64_t source_groups, cudaStream_t stream);
// All tiles of a source of codes. Writes nothing where a check before has failed.
cudaError_t launch_pack_codes(const PackTask &task, PackStep step, cudaStream_t stream);
// Checks a source of values and computes task.params. `long_groups`: entries of task.spans.
cudaError_t launch_fit_params(const PackTask &task, int64_t long_groups, cudaStream_t stream);
cudaError_t launch_pack_values(const PackTask &task, cudaStream_t stream);
// The same without a search, for a task that streams: the two above come here.
cudaError_t launch_stream_fit(const PackTask &task, int64_t long_groups, cudaStream_t stream);
cudaError_t launch_stream_pack(const PackTask &task, cudaStream_t stream);
// For sources whose rows do not lie together: the first two in place of launch_pack_codes to write, or of both kernels
// for values, where source groups are packed groups.
bool can_gather_codes(const PackTask &task);
cudaError_t launch_gather_codes(const PackTask &task, cudaStream_t stream);
bool can_gather_values(const PackTask &task);
cudaError_t launch_gather_fit(const PackTask &task, cudaStream_t stream);
cudaError_t launch_gather_values(const PackTask &task, cudaStream_t stream);
// *sum += checksum() of the body.
cudaError_t launch_checksum(const std::byte *body, int64_t size, uint64_t *sum, cudaStream_t stream);
// Writes what stands behind the runs, then the header with the sum of all slots, and the sum. Nothing where a
// check has failed.
cudaError_t launch_finish(const PackTask &task, const PackedHeader &header, std::byte *to, uint64_t *body_checksum,
                          cudaStream_t stream);

cudaError_t launch_unpack(const UnpackTask &task, cudaStream_t stream);
// Scales or zeros as they are stored, packed groups x n.
enum class GroupPart { Scales, Zeros };
cudaError_t launch_copy_groups(const WeightsView &weights, GroupPart part, std::byte *to, cudaStream_t stream);
// Lowers *index to the lowest group * n + column whose zero point is no code.
cudaError_t launch_find_unprunable(const WeightsView &weights, uint64_t *index, cudaStream_t stream);

} // namespace marlin::cuda
