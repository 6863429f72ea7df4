// Making weights and activations in host memory, and calling the C interface.
#include "cpu_subject.h"

#include <cstdlib>
#include <cstring>

#include "api.h"
#include "common/arith.h"
#include "exact.h"
#include "random_weights.h"

namespace marlin::bench {

void FreeBytes::operator()(std::byte *bytes) const {
    std::free(bytes);
}

PackedBytes allocate_packed(size_t size) {
    constexpr size_t alignment = 256;
    void *bytes = std::aligned_alloc(alignment, round_up(static_cast<int64_t>(size), alignment));
    if (bytes == nullptr)
        fail(Status::OutOfMemory, "{} bytes of packed weights cannot be allocated", size);
    return PackedBytes(static_cast<std::byte *>(bytes));
}

CpuHandle::CpuHandle(int threads, int32_t isa, int64_t kernel) {
    marlin_handle_desc desc = {};
    desc.struct_size = sizeof desc;
    desc.device = MARLIN_DEVICE_CPU;
    desc.num_threads = threads;
    check(marlin_handle_create(&desc, &handle_), nullptr);
    check(marlin_handle_set_option(handle_, MARLIN_OPTION_CPU_ISA, isa), handle_);
    check(marlin_handle_set_option(handle_, MARLIN_OPTION_KERNEL, kernel), handle_);
    info_.struct_size = sizeof info_;
    check(marlin_handle_get_info(handle_, &info_), handle_);
}

CpuSubject::CpuSubject(const CpuHandle &handle, const Problem &problem) : handle_(handle), problem_(problem) {
    pack();
    a_ = normal_values((problem.m - 1) * problem.lda + problem.k, problem.a_type, 1);
    c_.resize(static_cast<size_t>(((problem.m - 1) * problem.ldc + problem.n) * size_of(problem.c_type)));
    if (problem.bias)
        bias_ = normal_values(problem.n, problem.bias_type, 2);
    desc_.struct_size = sizeof desc_;
    desc_.a_type = static_cast<int32_t>(problem.a_type);
    desc_.c_type = static_cast<int32_t>(problem.c_type);
    desc_.bias_type = static_cast<int32_t>(problem.bias_type);
    desc_.m = problem.m;
    desc_.lda = problem.lda;
    desc_.ldc = problem.ldc;
    desc_.bias = bias_.empty() ? nullptr : bias_.data();
    info_.struct_size = sizeof info_;
    check(marlin_gemm_query(handle_.get(), &desc_, &weights_[0], &info_), handle_.get());
}

void CpuSubject::pack() {
    const RandomWeights source(problem_);
    check(marlin_pack_size(handle_.get(), &source.desc, &packed_size_), handle_.get());
    for (int64_t copy = 0; copy < copies_to_rotate(static_cast<int64_t>(packed_size_)); ++copy) {
        packed_.push_back(allocate_packed(packed_size_));
        marlin_weights weights = {};
        weights.struct_size = sizeof weights;
        if (copy == 0) {
            check(marlin_pack(handle_.get(), &source.desc, &source.input, packed_[0].get(), packed_size_, &weights),
                  handle_.get());
            packed_size_ = weights.data_size;
        } else {
            std::memcpy(packed_.back().get(), packed_[0].get(), packed_size_);
            check(marlin_weights_attach(handle_.get(), packed_.back().get(), packed_size_, &weights), handle_.get());
        }
        weights_.push_back(weights);
    }
}

void CpuSubject::multiply(int64_t copy) {
    const auto call = problem_.sparse ? marlin_sp_gemm : marlin_gemm;
    check(call(handle_.get(), &desc_, a_.data(), &weights_[static_cast<size_t>(copy)], c_.data()), handle_.get());
}

Timing CpuSubject::time(int repeats) {
    return measure(repeats, [this](int64_t i) { multiply(i % copies()); });
}

double CpuSubject::error() const {
    SampledRows sample;
    sample.rows = sample_rows(problem_.m);
    sample.bias = bias_;
    const int64_t a_size = size_of(problem_.a_type);
    const int64_t c_size = size_of(problem_.c_type);
    for (const int64_t row : sample.rows) {
        const std::byte *a = a_.data() + row * problem_.lda * a_size;
        const std::byte *c = c_.data() + row * problem_.ldc * c_size;
        sample.a.insert(sample.a.end(), a, a + problem_.k * a_size);
        sample.c.insert(sample.c.end(), c, c + problem_.n * c_size);
    }
    return max_relative_error(problem_, attach_host({packed_[0].get(), packed_size_}), sample);
}

} // namespace marlin::bench
