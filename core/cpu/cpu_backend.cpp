// The CPU as a backend: options, workspace and worker threads of one handle.
#include <cstdlib>
#include <memory>

#include "backend.h"
#include "common/error.h"
#include "cpu/gemm.h"
#include "cpu/heuristics.h"
#include "cpu/isa.h"
#include "cpu/pool.h"
#include "cpu/reference.h"
#include "pack/pack.h"

namespace marlin {
namespace {

using cpu::Isa;

constexpr size_t kWorkspaceAlignment = 256;

struct FreeMemory {
    void operator()(std::byte *memory) const { std::free(memory); }
};
using OwnMemory = std::unique_ptr<std::byte[], FreeMemory>;

// Address space only: the system gives memory for what a call touches first.
OwnMemory allocate_workspace() {
    OwnMemory memory(static_cast<std::byte *>(std::aligned_alloc(kWorkspaceAlignment, cpu::kDefaultWorkspace)));
    if (memory == nullptr)
        fail(Status::OutOfMemory, "workspace of {} bytes cannot be allocated", cpu::kDefaultWorkspace);
    return memory;
}

std::unique_ptr<cpu::WorkerPool> make_pool(int64_t threads) {
    const auto count = threads == 0 ? cpu::available_cores() : static_cast<int32_t>(threads);
    try {
        return std::make_unique<cpu::WorkerPool>(count);
    } catch (const std::system_error &error) {
        fail(Status::OutOfMemory, "num_threads is {}, but the system refuses so many: {}", count, error.what());
    }
}

class CpuBackend final : public Backend {
public:
    explicit CpuBackend(const BackendConfig &config) : threads_asked_(config.num_threads) {
        pool_ = make_pool(config.num_threads);
        set_workspace(config.workspace, config.workspace_size);
    }

    BackendInfo info() const override {
        BackendInfo info;
        info.kind = DeviceKind::Cpu;
        info.num_threads = pool_->threads();
        info.workspace_size = static_cast<int64_t>(workspace_.size());
        info.name = cpu::to_string(isa());
        return info;
    }

    void set_option(Option option, int64_t value) override {
        switch (option) {
        case Option::NumThreads:
            pool_ = make_pool(value);
            threads_asked_ = value;
            return;
        case Option::CpuIsa:
            check_isa(value);
            isa_asked_ = static_cast<Isa>(value);
            return;
        case Option::Kernel:
            check_kernel(value);
            kernel_ = static_cast<int32_t>(value);
            return;
        case Option::Math:
            // Both are the same here: no kernel's order of operations depends on m.
            math_ = value;
            return;
        case Option::SmCount:
        case Option::DependentLaunch:
            if (value != 0)
                fail(Status::InvalidArgument, "option {} is {}, expected 0 on the CPU", static_cast<int32_t>(option),
                     value);
            return;
        }
    }

    int64_t get_option(Option option) const override {
        switch (option) {
        case Option::NumThreads:
            return threads_asked_;
        case Option::CpuIsa:
            return static_cast<int64_t>(isa_asked_);
        case Option::Kernel:
            return kernel_;
        case Option::Math:
            return math_;
        case Option::SmCount:
        case Option::DependentLaunch:
            break;
        }
        return 0;
    }

    void set_stream(void *) override {}
    void *stream() const override { return nullptr; }

    void set_workspace(void *workspace, int64_t size) override {
        if (workspace != nullptr) {
            workspace_ = {static_cast<std::byte *>(workspace), static_cast<size_t>(size)};
            own_workspace_.reset();
            return;
        }
        if (own_workspace_ == nullptr)
            own_workspace_ = allocate_workspace();
        workspace_ = {own_workspace_.get(), static_cast<size_t>(cpu::kDefaultWorkspace)};
    }

    Layout default_layout(bool sparse) const override { return sparse ? Layout::CpuSparse24Draft : Layout::CpuDraft; }
    void check_memory(const void *, const char *) const override {}

    WeightsView pack(const PackRequest &request, bool, std::span<std::byte> packed) override {
        return pack_host(request, packed, *pool_);
    }
    void unpack(const WeightsView &weights, const UnpackRequest &request) override {
        unpack_host(weights, request, *pool_);
    }
    WeightsView attach(std::span<const std::byte> packed) override { return attach_host(packed); }

    KernelPlan plan(const Problem &problem, const WeightsView &weights) const override {
        return describe(choose(problem, weights.geometry, config()), problem, weights.geometry, config());
    }

    void gemm(const Problem &problem, const GemmOperands &operands, const WeightsView &weights) override {
        const cpu::Choice choice = choose(problem, weights.geometry, config());
        if (choice.kernel == nullptr)
            return reference_gemm(problem, operands, weights, *pool_);
        if (static_cast<int64_t>(workspace_.size()) < choice.workspace_size)
            fail(Status::WorkspaceTooSmall, "workspace_size is {}, expected at least {} for {}", workspace_.size(),
                 choice.workspace_size, choice.kernel->name);
        run_gemm(choice, problem, operands, weights, workspace_, *pool_);
    }

private:
    Isa isa() const { return isa_asked_ == Isa::Best ? machine_ : isa_asked_; }
    cpu::CpuConfig config() const { return {isa(), pool_->threads(), kernel_}; }

    void check_isa(int64_t value) const {
        if (value < 0 || value >= cpu::kIsaCount)
            fail(Status::InvalidArgument, "cpu isa is {}, expected 0 .. {}", value, cpu::kIsaCount - 1);
        if (value > static_cast<int64_t>(machine_))
            fail(Status::NotSupported, "cpu isa is {} ({}), expected at most {} ({}), which this machine has", value,
                 to_string(static_cast<Isa>(value)), static_cast<int32_t>(machine_), to_string(machine_));
    }
    // Whether it fits a problem is known when there is one.
    static void check_kernel(int64_t value) {
        for (int64_t number : {0, 1, 2, 3, 4, 12, 13, 14})
            if (value == number)
                return;
        fail(Status::InvalidArgument, "kernel is {}, expected 0 (choose), 1 .. 4 or 12 .. 14 (2:4)", value);
    }

    const Isa machine_ = cpu::machine_isa();
    Isa isa_asked_ = Isa::Best;
    int64_t threads_asked_ = 0;
    int64_t math_ = 0;
    int32_t kernel_ = 0;
    OwnMemory own_workspace_;
    std::span<std::byte> workspace_;
    std::unique_ptr<cpu::WorkerPool> pool_;
};

} // namespace

std::unique_ptr<Backend> make_cpu_backend(const BackendConfig &config) {
    return std::make_unique<CpuBackend>(config);
}

} // namespace marlin
