// Creating, asking, setting and destroying handles.
#include "boundary.h"
#include "log.h"

namespace marlin::capi {
namespace {

constexpr int32_t kMaxThreads = 1024;
constexpr size_t kWorkspaceAlignment = 256;

void check_workspace(const void *workspace, size_t size) {
    if ((workspace == nullptr) != (size == 0))
        fail(Status::InvalidArgument, "workspace is {} and workspace_size is {}, expected both or neither", workspace,
             size);
    if (size > static_cast<size_t>(INT64_MAX))
        fail(Status::InvalidArgument, "workspace_size is {}, expected less than 2^63", size);
    check_alignment(workspace, "workspace", kWorkspaceAlignment);
}

std::unique_ptr<Backend> make_backend(const marlin_handle_desc &desc) {
    check_range("desc.device", desc.device, MARLIN_DEVICE_DEFAULT, MARLIN_DEVICE_CPU);
    check_range("desc.num_threads", desc.num_threads, 0, kMaxThreads);
    check_range("desc.device_id", desc.device_id, 0, INT32_MAX);
    check_workspace(desc.workspace, desc.workspace_size);
    auto device = static_cast<DeviceKind>(desc.device);
    if (device == DeviceKind::Default)
        device = cuda_device_present() ? DeviceKind::Cuda : DeviceKind::Cpu;
    BackendConfig config;
    config.device_id = desc.device_id;
    config.num_threads = desc.num_threads;
    config.stream = desc.stream;
    config.workspace = desc.workspace;
    config.workspace_size = static_cast<int64_t>(desc.workspace_size);
    config.warn = [](std::string_view text) { log_message(MARLIN_LOG_WARNING, text); };
    if (device == DeviceKind::Cuda) {
        if (desc.num_threads != 0)
            fail(Status::InvalidArgument, "desc.num_threads is {}, expected 0 for a CUDA handle", desc.num_threads);
        return make_cuda_backend(config);
    }
    if (desc.stream != nullptr)
        fail(Status::InvalidArgument, "desc.stream is {}, expected NULL for a CPU handle",
             static_cast<const void *>(desc.stream));
    if (desc.device_id != 0)
        fail(Status::InvalidArgument, "desc.device_id is {}, expected 0 for a CPU handle", desc.device_id);
    return make_cpu_backend(config);
}

Option known_option(marlin_option option) {
    check_range("option", option, MARLIN_OPTION_MATH, MARLIN_OPTION_DEPENDENT_LAUNCH);
    return static_cast<Option>(option);
}

const char *name_of(Option option) {
    switch (option) {
    case Option::Math:
        return "MARLIN_OPTION_MATH";
    case Option::SmCount:
        return "MARLIN_OPTION_SM_COUNT";
    case Option::NumThreads:
        return "MARLIN_OPTION_NUM_THREADS";
    case Option::CpuIsa:
        return "MARLIN_OPTION_CPU_ISA";
    case Option::Kernel:
        return "MARLIN_OPTION_KERNEL";
    case Option::DependentLaunch:
        return "MARLIN_OPTION_DEPENDENT_LAUNCH";
    }
    return "option";
}

int64_t highest(Option option) {
    switch (option) {
    case Option::Math:
        return MARLIN_MATH_BATCH_INVARIANT;
    case Option::NumThreads:
        return kMaxThreads;
    case Option::CpuIsa:
        return MARLIN_CPU_ISA_AVX512_BF16;
    case Option::DependentLaunch:
        return 1;
    case Option::SmCount:
    case Option::Kernel:
        break;
    }
    return INT32_MAX;
}

void check_option(Option option, int64_t value) {
    check_range(name_of(option), value, 0, highest(option));
}

// An option of the other device takes its default only.
void check_option_device(Option option, int64_t value, DeviceKind kind) {
    const bool of_cpu = option == Option::NumThreads || option == Option::CpuIsa;
    const bool of_cuda = option == Option::SmCount || option == Option::DependentLaunch;
    if (value != 0 && ((of_cpu && kind != DeviceKind::Cpu) || (of_cuda && kind != DeviceKind::Cuda)))
        fail(Status::InvalidArgument, "{} is {}, expected 0 on a {} handle", name_of(option), value,
             kind == DeviceKind::Cpu ? "CPU" : "CUDA");
}

} // namespace
} // namespace marlin::capi

using namespace marlin;
using namespace marlin::capi;

extern "C" {

marlin_status marlin_handle_create(const marlin_handle_desc *desc, marlin_handle_t *handle) {
    log_read_environment();
    return translate("marlin_handle_create", thread_error(), [&] {
        if (handle == nullptr)
            fail(Status::InvalidArgument, "handle is NULL, expected where to put the new handle");
        const marlin_handle_desc known = desc != nullptr ? read_struct(desc, "desc") : marlin_handle_desc{};
        auto made = std::make_unique<marlin_handle>();
        made->backend = make_backend(known);
        const BackendInfo info = made->backend->info();
        made->kind = info.kind;
        made->device_id = info.device_id;
        *handle = made.release();
    });
}

void marlin_handle_destroy(marlin_handle_t handle) {
    // A child of fork has the parent's memory but not its threads, nor its CUDA context: nothing to wait for or free.
    if (handle == nullptr || handle->alive != marlin_handle::kAlive || handle->owner != getpid())
        return;
    handle->alive = 0;
    delete handle;
}

marlin_status marlin_handle_get_info(marlin_handle_t handle, marlin_handle_info *info) {
    return with_handle("marlin_handle_get_info", handle, [&](marlin_handle &self) {
        check_output(info, "info");
        const BackendInfo known = self.backend->info();
        marlin_handle_info result = {};
        result.device = static_cast<int32_t>(known.kind);
        result.device_id = known.device_id;
        result.compute_capability = known.compute_capability;
        result.sm_count = known.sm_count;
        result.num_threads = known.num_threads;
        result.workspace_size = static_cast<size_t>(known.workspace_size);
        copy_text(result.name, known.name);
        write_struct(info, result);
    });
}

marlin_status marlin_handle_set_stream(marlin_handle_t handle, marlin_stream_t stream) {
    return with_handle("marlin_handle_set_stream", handle, [&](marlin_handle &self) {
        if (self.kind == DeviceKind::Cpu && stream != nullptr)
            fail(Status::InvalidArgument, "stream is {}, expected NULL for a CPU handle",
                 static_cast<const void *>(stream));
        self.backend->set_stream(stream);
    });
}

marlin_status marlin_handle_get_stream(marlin_handle_t handle, marlin_stream_t *stream) {
    return with_handle("marlin_handle_get_stream", handle, [&](marlin_handle &self) {
        if (stream == nullptr)
            fail(Status::InvalidArgument, "stream is NULL, expected where to put the stream");
        *stream = static_cast<marlin_stream_t>(self.backend->stream());
    });
}

marlin_status marlin_handle_set_workspace(marlin_handle_t handle, void *workspace, size_t size) {
    return with_handle("marlin_handle_set_workspace", handle, [&](marlin_handle &self) {
        check_workspace(workspace, size);
        if (workspace != nullptr)
            self.backend->check_memory(workspace, "workspace");
        self.backend->set_workspace(workspace, static_cast<int64_t>(size));
    });
}

marlin_status marlin_handle_set_option(marlin_handle_t handle, marlin_option option, int64_t value) {
    return with_handle("marlin_handle_set_option", handle, [&](marlin_handle &self) {
        const Option known = known_option(option);
        check_option(known, value);
        check_option_device(known, value, self.kind);
        self.backend->set_option(known, value);
    });
}

marlin_status marlin_handle_get_option(marlin_handle_t handle, marlin_option option, int64_t *value) {
    return with_handle("marlin_handle_get_option", handle, [&](marlin_handle &self) {
        const Option known = known_option(option);
        if (value == nullptr)
            fail(Status::InvalidArgument, "value is NULL, expected where to put the option's value");
        *value = self.backend->get_option(known);
    });
}

} // extern "C"
