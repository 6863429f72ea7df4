// Packing on a GPU: short arrays are looked at on the host, weights by kernels that check before anything is written.
#include "cuda/pack.h"

#include <vector>

#include "cuda/check.h"
#include "cuda/pack/launch.h"
#include "cuda/pack/scanned_arrays.h"
#include "pack/prepare.h"

namespace marlin::cuda {
namespace {

// Host copies of arrays of the device, each as long as this object.
class HostCopies {
public:
    explicit HostCopies(Stream stream) : stream_(stream) {}

    template <typename T>
    std::span<const T> of(std::span<const T> device) {
        if (device.empty())
            return {};
        storage_.emplace_back(device.size_bytes());
        copy_to_host(storage_.back().data(), device.data(), device.size_bytes(), stream_);
        return {reinterpret_cast<const T *>(storage_.back().data()), device.size()};
    }

private:
    Stream stream_;
    std::vector<std::vector<std::byte>> storage_; // new[] aligns for every type
};

// What the kernels report.
struct Findings {
    uint64_t failed_column;
    uint64_t checksum;
    uint64_t sums[kSumSlots * kSumStride];
};

// The request's arrays in device memory.
PackRequest uploaded(const PackRequest &request, Scratch &scratch) {
    const auto copy = [&](auto host) {
        return decltype(host)(scratch.upload(host.data(), static_cast<int64_t>(host.size())), host.size());
    };
    PackRequest device = request;
    device.src = copy(request.src);
    device.scales = copy(request.scales);
    device.zeros = copy(request.zeros);
    device.importance = copy(request.importance);
    device.column_scales = copy(request.column_scales);
    return device;
}

RowOrderView uploaded(RowOrderView order, Scratch &scratch) {
    order.perm = scratch.upload(order.perm, order.k_packed);
    order.source_groups = scratch.upload(order.source_groups, order.source_groups_size);
    return order;
}

// Finds the lowest column that cannot be packed.
void check_codes(const PackTask &task, const PackPlan &plan, cudaStream_t stream) {
    check(launch_check_group_values(task, plan.source_groups, stream), "checking scales");
    // Every nibble is a code, but a byte may not be.
    if (task.source == Source::Plain || task.sparsity == Sparsity::Already24)
        check(launch_pack_codes(task, PackStep::Check, stream), "checking codes");
}

// Enqueues checks, then writes that do nothing where a check failed.
void enqueue(PackTask task, const PackRequest &request, const PreparedPack &prepared, Scratch &scratch,
             cudaStream_t stream) {
    if (prepared.plan.zeros == SourceZeros::Rounded) {
        task.params = scratch.take<GroupParams>(prepared.plan.source_groups * task.geometry.n_packed());
        const std::vector<RowSpan> spans = long_groups(request, prepared);
        const auto span_count = static_cast<int64_t>(spans.size());
        task.spans = scratch.upload(spans.data(), span_count);
        const bool gather = span_count == 0 && can_gather_values(task);
        const bool gather_fit = gather && task.scale_method == ScaleMethod::MinMax;
        check(gather_fit ? launch_gather_fit(task, stream) : launch_fit_params(task, span_count, stream),
              "fitting scales");
        check(gather ? launch_gather_values(task, stream) : launch_pack_values(task, stream), "packing values");
    } else {
        const std::vector<ScannedArray> arrays = scanned_arrays(request, prepared.plan);
        for (const ScannedArray &array : arrays)
            check(launch_scan(array.data, array.size, array.limit, task.failed_column, stream), "scanning the source");
        if (arrays.empty())
            check_codes(task, prepared.plan, stream);
        check(can_gather_codes(task) ? launch_gather_codes(task, stream)
                                     : launch_pack_codes(task, PackStep::Write, stream),
              "packing codes");
    }
    check(launch_write_sections(task, stream), "writing sections");
}

// The sentence of the CPU for what the kernels found.
[[noreturn]] void refuse(PackRequest request, bool host_input, const PreparedPack &prepared, int64_t column,
                         Stream stream) {
    HostCopies copies(stream);
    if (!host_input) {
        request.src = copies.of(request.src);
        request.scales = copies.of(request.scales);
        request.zeros = copies.of(request.zeros);
        request.importance = copies.of(request.importance);
    }
    if (column >= 0)
        check_column(request, prepared, column);
    fail(Status::InternalError, "column {} of 64 features was refused by the GPU and accepted by the CPU", column);
}

} // namespace

WeightsView pack_on_device(const PackRequest &request, bool host_input, std::span<std::byte> packed,
                           const WorkPlace &place) {
    HostCopies copies(place.stream);
    PackRequest host = request;
    if (!host_input) {
        host.g_idx = copies.of(request.g_idx);
        host.importance = copies.of(request.importance);
        host.column_scales = copies.of(request.column_scales);
    }
    const PreparedPack prepared = prepare_pack(host, packed);

    const auto stream = static_cast<cudaStream_t>(place.stream);
    Scratch scratch(place);
    const PackRequest device = host_input ? uploaded(request, scratch) : request;
    PackTask task = make_task(device, prepared, packed.data() + kHeaderSize);
    task.order = uploaded(task.order, scratch);
    auto *const found = scratch.take<Findings>(1);
    static_assert(kNoColumn == UINT64_MAX);
    fill_bytes(&found->failed_column, 0xff, sizeof found->failed_column, stream);
    fill_bytes(&found->checksum, 0, sizeof found->checksum + sizeof found->sums, stream);
    task.failed_column = &found->failed_column;
    task.sums = found->sums;
    enqueue(task, device, prepared, scratch, stream);
    const Geometry &g = prepared.geometry;
    check(launch_write_header(make_header(g, request.k, uint64_t{0}), packed.data(), task.sums, task.failed_column,
                              &found->checksum, stream),
          "writing the header");
    Findings findings = {};
    copy_to_host(&findings, found, offsetof(Findings, sums), stream);
    if (findings.failed_column == kSomeColumn) {
        check_codes(task, prepared.plan, stream);
        copy_to_host(&findings, found, offsetof(Findings, sums), stream);
    }
    if (findings.failed_column != kNoColumn)
        refuse(request, host_input, prepared, static_cast<int64_t>(findings.failed_column), stream);
    return read_header(make_header(g, request.k, findings.checksum), static_cast<int64_t>(packed.size()), task.body);
}

} // namespace marlin::cuda
