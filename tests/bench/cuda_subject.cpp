// Weights, activations and outputs in device memory, and calls of the C interface.
#include "cuda_subject.h"

#include <cmath>

#include "api.h"
#include "cuda_kernels.h"
#include "random_weights.h"

namespace marlin::bench {
namespace {

void copy(void *to, const void *from, int64_t size) {
    check(cudaMemcpy(to, from, static_cast<size_t>(size), cudaMemcpyDefault), "cudaMemcpy");
    // Between two buffers of the device cudaMemcpy returns before it is done, and handles have streams of their own.
    check(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");
}

// Numbers of kernels are below this, with room for years.
constexpr int64_t kMostKernels = 2000;

// What of a problem its packed weights depend on.
Problem weights_alone(Problem problem) {
    problem.m = problem.lda = problem.ldc = 0;
    problem.bias = false;
    problem.a_type = problem.c_type = problem.bias_type = Type::F16;
    return problem;
}

} // namespace

CudaHandle::CudaHandle(const GpuDevice &device, const Stream &stream, int64_t kernel, bool invariant) {
    marlin_handle_desc desc = {};
    desc.struct_size = sizeof desc;
    desc.device = MARLIN_DEVICE_CUDA;
    desc.device_id = device.ordinal();
    desc.stream = stream.get();
    check(marlin_handle_create(&desc, &handle_), nullptr);
    check(marlin_handle_set_option(handle_, MARLIN_OPTION_KERNEL, kernel), handle_);
    check(marlin_handle_set_option(handle_, MARLIN_OPTION_MATH,
                                   invariant ? MARLIN_MATH_BATCH_INVARIANT : MARLIN_MATH_DEFAULT),
          handle_);
}

OptionSet::OptionSet(const CudaHandle &handle, marlin_option option, int64_t value) : handle_(handle), option_(option) {
    check(marlin_handle_set_option(handle.get(), option, value), handle.get());
}

OptionSet::~OptionSet() {
    marlin_handle_set_option(handle_.get(), option_, 0); // 0 is never refused
}

CudaWeights::CudaWeights(const GpuDevice &device, const CudaHandle &handle, const CpuHandle &packer,
                         const Problem &problem)
    : problem_(weights_alone(problem)) {
    RandomWeights source(problem);
    source.desc.layout = problem.sparse ? MARLIN_LAYOUT_SPARSE24_DRAFT : MARLIN_LAYOUT_DENSE;
    size_t size = 0;
    check(marlin_pack_size(packer.get(), &source.desc, &size), packer.get());
    host_ = allocate_packed(size);
    marlin_weights weights = {};
    weights.struct_size = sizeof weights;
    check(marlin_pack(packer.get(), &source.desc, &source.input, host_.get(), size, &weights), packer.get());
    bytes_ = static_cast<int64_t>(weights.data_size);
    view_ = attach_host({host_.get(), weights.data_size});
    for (int64_t i = 0; i < device.copies_to_rotate(bytes_); ++i) {
        packed_.emplace_back(bytes_);
        bench::copy(packed_.back().data(), i == 0 ? host_.get() : packed_[0].data(), bytes_);
        check(marlin_weights_attach(handle.get(), packed_.back().data(), weights.data_size, &weights), handle.get());
        weights_.push_back(weights);
    }
}

bool CudaWeights::fit(const Problem &problem) const {
    return weights_alone(problem) == problem_;
}

CudaSubject::CudaSubject(const CudaHandle &handle, const Stream &stream, const CudaWeights &weights,
                         const Problem &problem)
    : handle_(handle), stream_(stream), weights_(weights), problem_(problem) {
    const int64_t a_count = (problem.m - 1) * problem.lda + problem.k;
    a_ = DeviceBytes(a_count * size_of(problem.a_type));
    check(fill_normal(a_.data(), a_count, problem.a_type, 1.0f, 1, stream.get()), "filling with random values");
    c_ = DeviceBytes(((problem.m - 1) * problem.ldc + problem.n) * size_of(problem.c_type));
    if (problem.bias) {
        bias_ = DeviceBytes(problem.n * size_of(problem.bias_type));
        check(fill_normal(bias_.data(), problem.n, problem.bias_type, 1.0f, 2, stream.get()),
              "filling with random values");
    }
    desc_.struct_size = sizeof desc_;
    desc_.a_type = static_cast<int32_t>(problem.a_type);
    desc_.c_type = static_cast<int32_t>(problem.c_type);
    desc_.bias_type = static_cast<int32_t>(problem.bias_type);
    desc_.m = problem.m;
    desc_.lda = problem.lda;
    desc_.ldc = problem.ldc;
    desc_.bias = bias_.data();
    info_.struct_size = sizeof info_;
    check(marlin_gemm_query(handle.get(), &desc_, &weights[0], &info_), handle.get());
}

std::vector<int64_t> CudaSubject::other_kernels() const {
    std::vector<int64_t> numbers;
    for (int64_t number = 1; number <= kMostKernels; ++number) {
        if (number == info_.kernel_number)
            continue;
        const OptionSet forced(handle_, MARLIN_OPTION_KERNEL, number);
        marlin_gemm_info info = {};
        info.struct_size = sizeof info;
        const marlin_status status = marlin_gemm_query(handle_.get(), &desc_, &weights_[0], &info);
        if (status == MARLIN_SUCCESS)
            numbers.push_back(number);
        else if (status != MARLIN_NOT_SUPPORTED)
            check(status, handle_.get());
    }
    return numbers;
}

void CudaSubject::multiply(int64_t copy) const {
    const auto call = problem_.sparse ? marlin_sp_gemm : marlin_gemm;
    check(call(handle_.get(), &desc_, a_.data(), &weights_[copy], c_.data()), handle_.get());
}

void CudaSubject::poison() {
    check(cudaMemsetAsync(c_.data(), 0xff, static_cast<size_t>(c_.size()), stream_.get()), "cudaMemsetAsync");
    stream_.synchronize();
}

bool CudaSubject::any_nan() const {
    const DeviceBytes count(sizeof(unsigned));
    check(cudaMemsetAsync(count.data(), 0, sizeof(unsigned), stream_.get()), "cudaMemsetAsync");
    check(count_nans(c_.data(), problem_.c_type, problem_.m, problem_.n, problem_.ldc,
                     reinterpret_cast<unsigned *>(count.data()), stream_.get()),
          "counting NaNs");
    stream_.synchronize();
    unsigned found = 0;
    bench::copy(&found, count.data(), sizeof found);
    return found != 0;
}

double CudaSubject::error() const {
    if (any_nan())
        return INFINITY;
    SampledRows sample;
    sample.rows = sample_rows(problem_.m);
    const int64_t a_size = size_of(problem_.a_type);
    const int64_t c_size = size_of(problem_.c_type);
    const auto count = static_cast<int64_t>(sample.rows.size());
    sample.a.resize(static_cast<size_t>(count * problem_.k * a_size));
    sample.c.resize(static_cast<size_t>(count * problem_.n * c_size));
    sample.bias.resize(static_cast<size_t>(bias_.size()));
    for (int64_t i = 0; i < count; ++i) {
        const int64_t row = sample.rows[static_cast<size_t>(i)];
        bench::copy(sample.a.data() + i * problem_.k * a_size, a_.data() + row * problem_.lda * a_size,
                    problem_.k * a_size);
        bench::copy(sample.c.data() + i * problem_.n * c_size, c_.data() + row * problem_.ldc * c_size,
                    problem_.n * c_size);
    }
    if (bias_.size() != 0)
        bench::copy(sample.bias.data(), bias_.data(), bias_.size());
    return max_relative_error(problem_, weights_.on_host(), sample);
}

} // namespace marlin::bench
