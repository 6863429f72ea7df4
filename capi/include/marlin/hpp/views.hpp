// Part of marlin.hpp: pointers with sizes and types, made of whatever holds elements. They own nothing and read
// nothing.
#ifndef MARLIN_HPP_VIEWS_HPP
#define MARLIN_HPP_VIEWS_HPP

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <type_traits>
#if __has_include(<stdfloat>)
#include <stdfloat>
#endif

#include <marlin/hpp/error.hpp>

namespace marlin {

// 16-bit floats as their bits, for programs without a type of their own; the library converts, this header does not.
enum class f16 : std::uint16_t {};
enum class bf16 : std::uint16_t {};

// The Type of a C++ type. Others are named by the program:
//     template <> inline constexpr marlin::Type marlin::type_of<__half> = marlin::Type::F16;
template <typename T>
inline constexpr Type type_of = Type::None;
template <>
inline constexpr Type type_of<float> = Type::F32;
template <>
inline constexpr Type type_of<f16> = Type::F16;
template <>
inline constexpr Type type_of<bf16> = Type::BF16;
template <>
inline constexpr Type type_of<std::int8_t> = Type::S4; // codes of unpacked weights, one a byte
template <>
inline constexpr Type type_of<std::uint8_t> = Type::U4;
#if defined(__STDCPP_FLOAT16_T__)
template <>
inline constexpr Type type_of<std::float16_t> = Type::F16;
#endif
#if defined(__STDCPP_BFLOAT16_T__)
template <>
inline constexpr Type type_of<std::bfloat16_t> = Type::BF16;
#endif

// Bytes of one element in memory.
constexpr std::size_t size_of(Type type) noexcept {
    return type == Type::F32 ? 4 : type == Type::F16 || type == Type::BF16 ? 2 : 1;
}

namespace detail {

// What std::data gives: of arrays, containers and other things with data() and size().
template <typename Container>
using element_t = std::remove_pointer_t<decltype(std::data(std::declval<Container &>()))>;

// The same of pointers too.
template <typename T, typename = void>
struct Pointed {};
template <typename T>
struct Pointed<T *, void> {
    using type = T;
};
template <typename T>
struct Pointed<T *const, void> {
    using type = T;
};
template <typename Container>
struct Pointed<Container, std::void_t<element_t<Container>>> {
    using type = element_t<Container>;
};
template <typename T>
using pointed_t = typename Pointed<std::remove_reference_t<T>>::type;

template <typename T>
constexpr Type known_type() noexcept {
    constexpr Type type = type_of<std::remove_cv_t<T>>;
    static_assert(type != Type::None, "specialise marlin::type_of for this type, or give pointer and Type");
    return type;
}
// Elements from the first to the last of a matrix; the largest number where that is no number.
constexpr std::size_t extent(std::int64_t rows, std::int64_t cols, std::int64_t ld) noexcept {
    const std::int64_t stride = ld == 0 ? cols : ld;
    if (rows <= 0 || cols <= 0 || stride < 0)
        return 0;
    if (rows > 1 && (INT64_MAX - cols) / (rows - 1) < stride)
        return SIZE_MAX;
    return static_cast<std::size_t>((rows - 1) * stride + cols);
}

} // namespace detail

// A pointer to elements and their number: the part of C++20's std::span that is needed here.
template <typename T>
class Span {
public:
    constexpr Span() noexcept = default;
    constexpr Span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <typename Container,
              typename = std::enable_if_t<std::is_convertible_v<detail::element_t<Container> (*)[], T (*)[]>>>
    constexpr Span(Container &&container) noexcept // NOLINT: as std::span
        : data_(std::data(container)), size_(std::size(container)) {}

    constexpr T *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr T *begin() const noexcept { return data_; }
    constexpr T *end() const noexcept { return data_ + size_; }
    constexpr T &operator[](std::size_t i) const noexcept { return data_[i]; }

private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

// Bytes, made of any container of plain elements, or of pointer and size in bytes.
class ConstBytes {
public:
    constexpr ConstBytes() noexcept = default;
    constexpr ConstBytes(const void *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <typename Container,
              typename = std::enable_if_t<std::is_trivially_copyable_v<detail::element_t<Container>>>>
    constexpr ConstBytes(const Container &container) noexcept // NOLINT: a view of what is given
        : data_(std::data(container)), size_(std::size(container) * sizeof(*std::data(container))) {}

    constexpr const void *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }

private:
    const void *data_ = nullptr;
    std::size_t size_ = 0;
};

// The same to be written.
class Bytes {
public:
    constexpr Bytes() noexcept = default;
    constexpr Bytes(void *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <typename Container,
              typename = std::enable_if_t<std::is_trivially_copyable_v<detail::element_t<Container>> &&
                                          !std::is_const_v<detail::element_t<Container>>>>
    constexpr Bytes(Container &container) noexcept // NOLINT: a view of what is given
        : data_(std::data(container)), size_(std::size(container) * sizeof(*std::data(container))) {}

    constexpr void *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }

private:
    void *data_ = nullptr;
    std::size_t size_ = 0;
};

// size elements of one type, next to each other: a bias.
class ConstVector {
public:
    constexpr ConstVector() noexcept = default; // none
    constexpr ConstVector(const void *data, Type type, std::int64_t size) noexcept
        : data_(data), type_(type), size_(size) {}
    template <typename Container, typename = detail::element_t<Container>>
    constexpr ConstVector(const Container &container) noexcept // NOLINT: a view of what is given
        : ConstVector(std::data(container), detail::known_type<detail::element_t<const Container>>(),
                      static_cast<std::int64_t>(std::size(container))) {}

    constexpr const void *data() const noexcept { return data_; }
    constexpr Type type() const noexcept { return type_; }
    constexpr std::int64_t size() const noexcept { return size_; }

private:
    const void *data_ = nullptr;
    Type type_ = Type::None;
    std::int64_t size_ = 0;
};

// rows x cols elements, ld from row to row (0: cols). Void is `void` or `const void`.
template <typename Void>
class BasicMatrix {
public:
    constexpr BasicMatrix(Void *data, Type type, std::int64_t rows, std::int64_t cols, std::int64_t ld = 0) noexcept
        : data_(data), type_(type), rows_(rows), cols_(cols), ld_(ld) {}
    // Of a container or array, whose size must suffice, or of a pointer, whose type says the Type.
    template <typename Elements, typename T = detail::pointed_t<Elements>,
              typename = std::enable_if_t<!std::is_void_v<T> && std::is_convertible_v<T *, Void *>>>
    BasicMatrix(Elements &&elements, std::int64_t rows, std::int64_t cols, std::int64_t ld = 0)
        : type_(detail::known_type<T>()), rows_(rows), cols_(cols), ld_(ld) {
        if constexpr (std::is_pointer_v<std::remove_reference_t<Elements>>) {
            data_ = elements;
        } else {
            data_ = std::data(elements);
            const std::size_t needed = detail::extent(rows, cols, ld);
            if (std::size(elements) < needed)
                raise(Status::InvalidArgument, "elements.size is " + std::to_string(std::size(elements)) +
                                                   ", expected at least " + std::to_string(needed) + ": " +
                                                   std::to_string(rows) + " rows of " + std::to_string(cols) +
                                                   (ld == 0 ? "" : ", " + std::to_string(ld) + " apart"));
        }
    }
    template <typename Other, typename = std::enable_if_t<std::is_convertible_v<Other *, Void *>>>
    constexpr BasicMatrix(const BasicMatrix<Other> &other) noexcept // NOLINT: of void to const void
        : BasicMatrix(other.data(), other.type(), other.rows(), other.cols(), other.ld()) {}

    constexpr Void *data() const noexcept { return data_; }
    constexpr Type type() const noexcept { return type_; }
    constexpr std::int64_t rows() const noexcept { return rows_; }
    constexpr std::int64_t cols() const noexcept { return cols_; }
    constexpr std::int64_t ld() const noexcept { return ld_; } // 0: cols

private:
    Void *data_ = nullptr;
    Type type_ = Type::None;
    std::int64_t rows_ = 0;
    std::int64_t cols_ = 0;
    std::int64_t ld_ = 0;
};
using Matrix = BasicMatrix<void>;
using ConstMatrix = BasicMatrix<const void>;

} // namespace marlin

#endif // MARLIN_HPP_VIEWS_HPP
