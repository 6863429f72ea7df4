// Packing on a GPU: short arrays are looked at on the host, weights by kernels that check before anything is written.
#include "cuda/pack.h"

#include <optional>
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
        const int64_t groups = prepared.plan.source_groups;
        const int64_t n_packed = task.geometry.n_packed();
        auto *const params = scratch.take<GroupParams>(groups * n_packed);
        const std::vector<RowSpan> spans = long_groups(request, prepared);
        const auto span_count = static_cast<int64_t>(spans.size());
        task.spans = scratch.upload(spans.data(), span_count);
        const bool gather = span_count == 0 && can_gather_values(task);
        task.params = gather ? params_by_group(params, groups) : params_by_feature(params, n_packed);
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

// Packs by kernels. `g_idx`: of an order that `prepared` only expects, found by a kernel; NULL: it has the order.
// Returns the findings; nothing is written where they have a column.
Findings run_kernels(const PackRequest &request, bool host_input, const PreparedPack &prepared, const int32_t *g_idx,
                     std::span<std::byte> packed, const WorkPlace &place) {
    const auto stream = static_cast<cudaStream_t>(place.stream);
    Scratch scratch(place);
    auto *const found = scratch.take<Findings>(1);
    static_assert(kNoColumn == UINT64_MAX && kEmptySlot == UINT64_MAX);
    fill_bytes(found, 0xff, sizeof *found, place.stream);
    const PackRequest device = host_input ? uploaded(request, scratch) : request;
    PackTask task = make_task(device, prepared, packed.data() + kHeaderSize);
    task.failed_column = &found->failed_column;
    task.sums = found->sums;
    if (g_idx != nullptr) {
        auto *const perm = scratch.take<int32_t>(task.order.k_packed);
        task.order.perm = perm;
        const auto group_size = static_cast<int32_t>(request.group_size);
        check(launch_order_rows({g_idx, perm, task.k, task.order.k_packed, group_size, task.failed_column}, stream),
              "ordering rows");
    } else {
        task.order = uploaded(task.order, scratch);
    }
    enqueue(task, device, prepared, scratch, stream);
    check(launch_finish(task, make_header(prepared.geometry, request.k, uint64_t{0}), packed.data(), &found->checksum,
                        stream),
          "writing the header");
    Findings findings = {};
    copy_to_host(&findings, found, offsetof(Findings, sums), place.stream);
    if (findings.failed_column == kSomeColumn && g_idx == nullptr) {
        check_codes(task, prepared.plan, stream);
        copy_to_host(&findings, found, offsetof(Findings, sums), place.stream);
    }
    return findings;
}

} // namespace

WeightsView pack_on_device(const PackRequest &request, bool host_input, std::span<std::byte> packed,
                           const WorkPlace &place) {
    HostCopies copies(place.stream);
    PackRequest host = request;
    if (!host_input) {
        host.importance = copies.of(request.importance);
        host.column_scales = copies.of(request.column_scales);
    }
    const auto view_of = [&](const PreparedPack &prepared, const Findings &findings) {
        return read_header(make_header(prepared.geometry, request.k, findings.checksum),
                           static_cast<int64_t>(packed.size()), packed.data() + kHeaderSize);
    };
    // The usual act-order never comes to the host. Whatever is wrong or unusual, the CPU's way finds out below.
    if (!host_input && request.act_order && reinterpret_cast<uintptr_t>(request.g_idx.data()) % 16 == 0) {
        if (const std::optional<PreparedPack> prepared = prepare_even_pack(host, packed)) {
            const Findings findings = run_kernels(request, false, *prepared, request.g_idx.data(), packed, place);
            if (findings.failed_column == kNoColumn)
                return view_of(*prepared, findings);
        }
    }
    if (!host_input)
        host.g_idx = copies.of(request.g_idx);
    const PreparedPack prepared = prepare_pack(host, packed);
    const Findings findings = run_kernels(request, host_input, prepared, nullptr, packed, place);
    if (findings.failed_column != kNoColumn)
        refuse(request, host_input, prepared, static_cast<int64_t>(findings.failed_column), place.stream);
    return view_of(prepared, findings);
}

} // namespace marlin::cuda
