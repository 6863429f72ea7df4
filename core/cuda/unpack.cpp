// Reading packed bytes in device memory: attaching and unpacking.
#include <vector>

#include "cuda/check.h"
#include "cuda/pack.h"
#include "cuda/pack/launch.h"

namespace marlin::cuda {
namespace {

std::vector<int32_t> perm_on_host(const WeightsView &view, Stream stream) {
    std::vector<int32_t> perm(view.perm == nullptr ? 0 : static_cast<size_t>(view.shape().k_packed));
    if (!perm.empty())
        copy_to_host(perm.data(), view.perm, perm.size() * sizeof(int32_t), stream);
    return perm;
}

void check_pruned_codes(const WeightsView &weights, Scratch &scratch, const WorkPlace &place) {
    constexpr uint64_t kNone = UINT64_MAX;
    uint64_t index = kNone;
    auto *const found = scratch.take<uint64_t>(1);
    fill_bytes(found, 0xff, sizeof index, place.stream);
    check(launch_find_unprunable(weights, found, static_cast<cudaStream_t>(place.stream)), "checking zero points");
    copy_to_host(&index, found, sizeof index, place.stream);
    if (index == kNone)
        return;
    const int64_t group = static_cast<int64_t>(index) / weights.n;
    const int64_t n = static_cast<int64_t>(index) % weights.n;
    uint8_t zero = 0;
    copy_to_host(&zero, weights.body + weights.geometry.zero(group, n), sizeof zero, place.stream);
    refuse_pruned_code(group, n, zero);
}

} // namespace

WeightsView attach_on_device(std::span<const std::byte> packed, const WorkPlace &place) {
    if (packed.size() < kHeaderSize)
        return attach_host(packed); // which says that this is too short, without a look at it
    PackedHeader header;
    copy_to_host(&header, packed.data(), sizeof header, place.stream);
    const std::byte *const body = packed.data() + kHeaderSize;
    const WeightsView view = read_header(header, static_cast<int64_t>(packed.size()), body);

    Scratch scratch(place);
    uint64_t checksum = 0;
    auto *const sum = scratch.take<uint64_t>(1);
    fill_bytes(sum, 0, sizeof checksum, place.stream);
    check(launch_checksum(body, view.geometry.body_size, sum, static_cast<cudaStream_t>(place.stream)),
          "adding up the checksum");
    copy_to_host(&checksum, sum, sizeof checksum, place.stream);
    check_body_checksum(header, checksum);
    check_perm_entries(perm_on_host(view, place.stream), view.k);
    return view;
}

void unpack_on_device(const WeightsView &weights, const UnpackRequest &request, const WorkPlace &place) {
    const auto stream = static_cast<cudaStream_t>(place.stream);
    const std::vector<int32_t> perm = perm_on_host(weights, stream);
    WeightsView readable = weights;
    if (!perm.empty())
        readable.perm = perm.data();
    UnpackTask task;
    task.weights = weights;
    task.dst = check_unpack(readable, request);
    task.aligned = is_aligned(task.dst);
    Scratch scratch(place);
    if (needs_pruned_codes(weights, request))
        check_pruned_codes(weights, scratch, place);
    if (!request.scales.empty())
        check(launch_copy_groups(weights, GroupPart::Scales, request.scales.data(), stream), "copying scales");
    if (!request.zeros.empty())
        check(launch_copy_groups(weights, GroupPart::Zeros, request.zeros.data(), stream), "copying zeros");
    if (!request.dst.empty())
        check(launch_unpack(task, stream), "unpacking");
    synchronize(stream);
}

} // namespace marlin::cuda
