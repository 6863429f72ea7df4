// The kernels of packing, one function each: they enqueue and return.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/pack/make_task.h"
#include "cuda/pack/pack_codes.h"
#include "cuda/pack/unpack_tile.h"

namespace marlin::cuda {

// Scales and zeros of a source of codes; a failure lowers *task.failed_column, as for all checks below.
cudaError_t launch_check_group_values(const PackTask &task, int64_t source_groups, cudaStream_t stream);
// All tiles of a source of codes. Writes nothing where a check before has failed.
cudaError_t launch_pack_codes(const PackTask &task, PackStep step, cudaStream_t stream);
// Checks a source of values and computes task.params. `long_groups`: entries of task.spans.
cudaError_t launch_fit_params(const PackTask &task, int64_t long_groups, cudaStream_t stream);
cudaError_t launch_pack_values(const PackTask &task, cudaStream_t stream);
// What stands behind the runs.
cudaError_t launch_write_sections(const PackTask &task, cudaStream_t stream);

// *sum += checksum() of the body.
cudaError_t launch_checksum(const std::byte *body, int64_t size, uint64_t *sum, cudaStream_t stream);
// Completes the header with the checksum and writes it, unless a check has failed.
cudaError_t launch_write_header(const PackedHeader &header, std::byte *to, const uint64_t *body_checksum,
                                const uint64_t *failed_column, cudaStream_t stream);

cudaError_t launch_unpack(const UnpackTask &task, cudaStream_t stream);
// Scales or zeros as they are stored, packed groups x n.
enum class GroupPart { Scales, Zeros };
cudaError_t launch_copy_groups(const WeightsView &weights, GroupPart part, std::byte *to, cudaStream_t stream);
// Lowers *index to the lowest group * n + column whose zero point is no code.
cudaError_t launch_find_unprunable(const WeightsView &weights, uint64_t *index, cudaStream_t stream);

} // namespace marlin::cuda
