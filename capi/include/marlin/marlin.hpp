// marlin.hpp - libmarlin for C++17: the functions of marlin.h with owners, views and exceptions. Its comments are the
// reference manual together with those of marlin.h, which says what every field, source, type and number means.
//
// Nothing is decided here: every call converts its arguments, makes one call of the C interface, and throws what that
// refused. C[m, n] = A[m, k] * W[k, n] + bias, all row-major:
//
//     marlin::Handle handle(marlin::Device::Cpu);
//     marlin::PackOptions options;
//     options.src_type = marlin::Type::F32;
//     options.src_order = marlin::Order::NxK;
//     options.k = 4096, options.n = 4096, options.group_size = 128;
//     const marlin::Weights weights = handle.pack(options, {source});          // std::vector<float>, n x k
//     handle.gemm({a, m, 4096}, weights, {c, m, 4096});                       // std::vector<float> a, c
//
// Errors: a refused call throws marlin::Error, a std::runtime_error with the status and the library's sentence. Nothing
// was written then, nothing leaked, and the handle stays usable. Where memory for a host object cannot be had,
// std::bad_alloc. Compiled with -fno-exceptions, both print and abort: programs that cannot have that use marlin.h.
//
// Views (Span, ConstBytes, Bytes, ConstVector, ConstMatrix, Matrix) are a pointer and sizes; they own nothing, and what
// they show must outlive the call; a multiply on a CUDA handle only enqueues, so for it until the stream is through.
// This header never reads what they show: pointers to device memory are as good. Shapes that the C interface cannot
// see (it gets pointers) are checked against the weights here, everything else is checked by the library.
//
// Threads: a handle serves one thread at a time; a second one that enters meanwhile gets Status::InvalidArgument, and
// may find the text of another failure. Different handles are independent. Weights never change: any number of handles
// of their device, in any threads, may share them. After fork() the child makes handles of its own.
//
// Streams: gemm and sp_gemm on a CUDA handle run on its stream (Handle::set_stream) and return at once; all other calls
// have finished when they return. On a CPU handle all calls have.
#ifndef MARLIN_HPP
#define MARLIN_HPP

#if __cplusplus < 201703L
#error "marlin.hpp needs C++17; marlin.h serves all older standards"
#endif

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include <marlin/hpp/error.hpp>
#include <marlin/hpp/names.hpp>
#include <marlin/hpp/options.hpp>
#include <marlin/hpp/views.hpp>
#include <marlin/marlin.h>

namespace marlin {

// ---- The process ----------------------------------------------------------------------------------------------------

inline int version() noexcept { // of the library loaded; MARLIN_VERSION is this header's
    return marlin_version();
}
inline const char *build_info() noexcept { // a JSON object
    return marlin_build_info();
}
// fn, with user as its first argument, receives all messages of the process up to level; nullptr: standard error. It
// may be called by several threads at once, and must not throw.
inline void set_log(LogLevel level, marlin_log_fn fn = nullptr, void *user = nullptr) noexcept {
    marlin_set_log(fn, user, static_cast<marlin_log_level>(level));
}

// 256-byte aligned host memory for packed weights of a CPU handle; freed with its last owner.
inline std::shared_ptr<void> host_memory(std::size_t size) {
    constexpr auto alignment = std::align_val_t(256);
    return {::operator new(size, alignment), [](void *memory) { ::operator delete(memory, std::align_val_t(256)); }};
}

// ---- Weights --------------------------------------------------------------------------------------------------------

// Packed weights, and a share in the memory that holds them. Copies are cheap and share it. On a CUDA handle a multiply
// may still be reading them when it returns: keep one copy until the stream is through.
class Weights {
public:
    Weights() noexcept { raw_.struct_size = sizeof(raw_); } // none: every call refuses them

    std::int64_t k() const noexcept { return raw_.k; }
    std::int64_t n() const noexcept { return raw_.n; }
    std::int64_t group_size() const noexcept { return raw_.group_size; }
    std::int64_t k_packed() const noexcept { return raw_.k_packed; }
    Layout layout() const noexcept { return static_cast<Layout>(raw_.layout); }
    Type type() const noexcept { return static_cast<Type>(raw_.type); }
    Type scale_type() const noexcept { return static_cast<Type>(raw_.scale_type); }
    Type zero_type() const noexcept { return static_cast<Type>(raw_.zero_type); }
    Device device() const noexcept { return static_cast<Device>(raw_.device); }
    std::int32_t device_id() const noexcept { return raw_.device_id; }
    bool sparse() const noexcept { return (raw_.flags & 1u) != 0; }
    bool act_order() const noexcept { return raw_.perm != nullptr; }
    bool column_scales() const noexcept { return raw_.column_scales != nullptr; }
    // The packed bytes, header first, where they lie: what a file keeps and attach() reads.
    ConstBytes bytes() const &noexcept { return {raw_.data, raw_.data_size}; }
    ConstBytes bytes() const && = delete; // they would be gone
    const marlin_weights *get() const noexcept { return &raw_; }

private:
    friend class Handle;
    marlin_weights raw_ = {};
    std::shared_ptr<const void> memory_;
};

// ---- Handle ---------------------------------------------------------------------------------------------------------

// Owns a marlin_handle_t. It can be moved; one that was moved from is refused by every call. Destroying it waits for
// its own work.
class Handle {
public:
    // Starts the CPU's worker threads, or loads the kernels of the GPU. Throws InvalidArgument; NotSupported (no such
    // device, or one that cannot be used); OutOfMemory; DeviceError.
    explicit Handle(const HandleOptions &options) {
        const marlin_handle_desc desc = detail::raw(options);
        marlin_handle_t handle = nullptr;
        marlin::check(nullptr, marlin_handle_create(&desc, &handle));
        handle_.reset(handle);
    }
    explicit Handle(Device device = Device::Default, std::int32_t device_id = 0)
        : Handle(options_of(device, device_id)) {}

    // For calls of marlin.h. The handle stays this object's.
    marlin_handle_t get() const noexcept { return handle_.get(); }

    HandleInfo info() const {
        auto raw = detail::with_size<marlin_handle_info>();
        check(marlin_handle_get_info(get(), &raw));
        return detail::info(raw);
    }

    // The stream of later multiplies (cudaStream_t is the same type), not owned; work on the old one is ordered before.
    // Throws InvalidArgument (a stream for a CPU handle); DeviceError.
    void set_stream(marlin_stream_t stream) { check(marlin_handle_set_stream(get(), stream)); }
    marlin_stream_t stream() const {
        marlin_stream_t stream = nullptr;
        check(marlin_handle_get_stream(get(), &stream));
        return stream;
    }

    // Scratch memory of the handle's kind, 256-byte aligned, not owned; nullptr and 0: the library's own again.
    // Throws InvalidArgument; OutOfMemory; DeviceError.
    void set_workspace(void *workspace, std::size_t size) {
        check(marlin_handle_set_workspace(get(), workspace, size));
    }

    // Throws InvalidArgument (a value out of range, an option of the other kind of device); NotSupported (an
    // instruction set that the machine has not); OutOfMemory.
    void set_option(Option option, std::int64_t value) {
        check(marlin_handle_set_option(get(), static_cast<marlin_option>(option), value));
    }
    void set_option(Option option, Math value) { set_option(option, static_cast<std::int64_t>(value)); }
    void set_option(Option option, CpuIsa value) { set_option(option, static_cast<std::int64_t>(value)); }
    std::int64_t option(Option option) const {
        std::int64_t value = 0;
        check(marlin_handle_get_option(get(), static_cast<marlin_option>(option), &value));
        return value;
    }

    // Bytes that pack() needs. Throws InvalidArgument; NotSupported.
    std::size_t pack_size(const PackOptions &options) {
        const marlin_pack_desc desc = detail::raw(options);
        std::size_t size = 0;
        check(marlin_pack_size(get(), &desc, &size));
        return size;
    }

    // Rounds values to 4 bits, or takes codes as they are, and arranges them for the device. packed is memory of the
    // handle, 256-byte aligned, of pack_size() bytes or more, apart from the input:
    //     std::shared_ptr<void>(pointer, cudaFree)      owned by the weights
    //     std::shared_ptr<void>({}, pointer)            not owned, must outlive them
    // Throws InvalidArgument (also non-finite values, and codes and zero points out of range, with their position);
    // NotSupported; NotSparse; OutOfMemory; DeviceError.
    Weights pack(const PackOptions &options, const PackInput &input, std::shared_ptr<void> packed, std::size_t size) {
        const marlin_pack_desc desc = detail::raw(options);
        const marlin_pack_input raw = detail::raw(input);
        Weights weights;
        check(marlin_pack(get(), &desc, &raw, packed.get(), size, &weights.raw_));
        weights.memory_ = std::move(packed);
        return weights;
    }
    // The same into host memory of its own: for CPU handles; CUDA handles refuse it.
    Weights pack(const PackOptions &options, const PackInput &input) {
        const std::size_t size = pack_size(options);
        return pack(options, input, marlin::host_memory(size), size);
    }

    // Weights of bytes that were packed before, here or elsewhere, in memory of the handle, 256-byte aligned; one pass
    // over them checks checksums. Throws InvalidArgument; BadPackedData (damaged, cut off, of an unknown layout);
    // OutOfMemory; DeviceError.
    Weights attach(std::shared_ptr<const void> packed, std::size_t size) {
        Weights weights;
        check(marlin_weights_attach(get(), packed.get(), size, &weights.raw_));
        weights.memory_ = std::move(packed);
        return weights;
    }
    // The same, not owned: packed must outlive the weights and their copies.
    Weights attach(ConstBytes packed) {
        return attach(std::shared_ptr<const void>(std::shared_ptr<const void>(), packed.data()), packed.size());
    }

    // The way back: weights (F16, BF16, F32) or codes (S4, U4: the stored type) in source row order, k x n with
    // Order::KxN, n x k with Order::NxK. scales and zeros: ceil(k_packed / group_size) x n of the stored types.
    // Throws InvalidArgument; NotSupported (codes of 2:4 weights where no code means 0); OutOfMemory; DeviceError.
    void unpack(const Weights &weights, Matrix dst, Order order, Bytes scales = {}, Bytes zeros = {}) {
        expect_equal("dst.rows", dst.rows(), order == Order::NxK ? "n" : "k",
                     order == Order::NxK ? weights.n() : weights.k());
        expect_equal("dst.cols", dst.cols(), order == Order::NxK ? "k" : "n",
                     order == Order::NxK ? weights.k() : weights.n());
        auto desc = detail::with_size<marlin_unpack_desc>();
        desc.dst_type = detail::number(dst.type());
        desc.dst_order = detail::number(order);
        desc.ld_dst = dst.ld();
        desc.dst = dst.data();
        desc.dst_size = detail::extent(dst.rows(), dst.cols(), dst.ld()) * size_of(dst.type());
        set_params(desc, scales, zeros);
        check(marlin_unpack(get(), weights.get(), &desc));
    }
    // Scales and zeros alone.
    void unpack(const Weights &weights, Bytes scales, Bytes zeros = {}) {
        auto desc = detail::with_size<marlin_unpack_desc>();
        desc.dst_type = detail::number(Type::F32); // of nothing, but no type is no type
        set_params(desc, scales, zeros);
        check(marlin_unpack(get(), weights.get(), &desc));
    }

    // c = a * w + bias: a is m x k of F16, BF16 or (CPU) F32, c is m x n of any of these, bias has n elements or is
    // left out. w is dense. All lie in memory of the handle, aligned to their element; c overlaps none of the others.
    // CUDA: enqueued on the handle's stream. Throws InvalidArgument; NotSupported; WorkspaceTooSmall; BadPackedData;
    // DeviceError.
    void gemm(ConstMatrix a, const Weights &w, Matrix c, ConstVector bias = {}) {
        const marlin_gemm_desc desc = desc_of(a, w, c, bias);
        check(marlin_gemm(get(), &desc, a.data(), w.get(), c.data()));
    }
    // The same with 2:4 sparse w.
    void sp_gemm(ConstMatrix a, const Weights &w, Matrix c, ConstVector bias = {}) {
        const marlin_gemm_desc desc = desc_of(a, w, c, bias);
        check(marlin_sp_gemm(get(), &desc, a.data(), w.get(), c.data()));
    }
    // Would this multiply run, and how? Nothing is launched: a and c may be without data, as in
    // ConstMatrix(nullptr, Type::F16, m, k). Throws what the multiply would.
    GemmInfo query(ConstMatrix a, const Weights &w, ConstMatrix c, ConstVector bias = {}) {
        const marlin_gemm_desc desc = desc_of(a, w, c, bias);
        auto raw = detail::with_size<marlin_gemm_info>();
        check(marlin_gemm_query(get(), &desc, w.get(), &raw));
        return detail::info(raw);
    }

    // The text of the last failed call, empty when none failed yet.
    std::string last_error() const { return marlin::last_error(get()); }

private:
    struct Destroy {
        void operator()(marlin_handle_t handle) const noexcept { marlin_handle_destroy(handle); }
    };

    void check(marlin_status status) const { marlin::check(get(), status); }

    static void expect_equal(const char *name, std::int64_t found, const char *of, std::int64_t expected) {
        if (found != expected)
            raise(Status::InvalidArgument, std::string(name) + " is " + std::to_string(found) + ", expected " + of +
                                               " = " + std::to_string(expected));
    }

    static HandleOptions options_of(Device device, std::int32_t device_id) {
        HandleOptions options;
        options.device = device;
        options.device_id = device_id;
        return options;
    }

    static void set_params(marlin_unpack_desc &desc, Bytes scales, Bytes zeros) {
        desc.scales = scales.data();
        desc.scales_size = scales.size();
        desc.zeros = zeros.data();
        desc.zeros_size = zeros.size();
    }

    // The C interface gets pointers, and takes k and n from the weights: whether the matrices agree is seen here only.
    static marlin_gemm_desc desc_of(ConstMatrix a, const Weights &w, ConstMatrix c, ConstVector bias) {
        expect_equal("a.cols", a.cols(), "k", w.k());
        expect_equal("c.cols", c.cols(), "n", w.n());
        expect_equal("c.rows", c.rows(), "a.rows", a.rows());
        if (bias.data() != nullptr)
            expect_equal("bias.size", bias.size(), "n", w.n());
        auto desc = detail::with_size<marlin_gemm_desc>();
        desc.a_type = detail::number(a.type());
        desc.c_type = detail::number(c.type());
        desc.bias_type = detail::number(bias.type());
        desc.m = a.rows();
        desc.lda = a.ld();
        desc.ldc = c.ld();
        desc.bias = bias.data();
        return desc;
    }

    std::unique_ptr<marlin_handle, Destroy> handle_;
};

} // namespace marlin

#endif // MARLIN_HPP
