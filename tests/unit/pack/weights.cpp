// Re-statements of the checkpoint formats, element by element.
#include "unit/pack/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "support/catch.h"

namespace marlin::test {
namespace {

// Half types by the compiler, not by core/common/half.h.
uint16_t bits_of(double value, Type type) {
    uint16_t bits = 0;
    if (type == Type::F16) {
        const auto half = static_cast<_Float16>(value);
        std::memcpy(&bits, &half, sizeof bits);
    } else {
        const auto single = static_cast<float>(value);
        uint32_t word = 0;
        std::memcpy(&word, &single, sizeof word);
        REQUIRE((word & 0xffffu) == 0); // test values are exact
        bits = static_cast<uint16_t>(word >> 16);
    }
    return bits;
}

using Words = std::vector<uint32_t>;

void set_nibble(Words &words, int64_t word, int64_t nibble, int value) {
    words.at(static_cast<size_t>(word)) |= static_cast<uint32_t>(value) << (4 * nibble);
}

std::vector<std::byte> bytes_of(const Words &words) {
    std::vector<std::byte> bytes(words.size() * 4);
    std::memcpy(bytes.data(), words.data(), bytes.size());
    return bytes;
}

Words words_of(int64_t rows, int64_t columns) {
    return Words(static_cast<size_t>(rows * columns), 0u);
}

// qweight.append(w[8 i + j] << 4 j for j in 0..7); zeros likewise along n, minus one in version 1.
void encode_gptq(const Weights &w, int stored_less, SourceArrays &a) {
    Words q = words_of((w.k + 7) / 8, w.n);
    for (int64_t i = 0; i < w.k; ++i)
        for (int64_t j = 0; j < w.n; ++j)
            set_nibble(q, i / 8 * w.n + j, i % 8, w.code[i * w.n + j]);
    a.src = bytes_of(q);
    if (w.zeros == Zeros::None)
        return;
    const int64_t row = (w.n + 7) / 8;
    Words z = words_of(w.groups, row);
    for (int64_t g = 0; g < w.groups; ++g)
        for (int64_t j = 0; j < w.n; ++j)
            set_nibble(z, g * row + j / 8, j % 8, static_cast<int>(w.zero[g * w.n + j]) - stored_less);
    a.zeros = bytes_of(z);
}

// order_map = [0, 2, 4, 6, 1, 3, 5, 7]: nibble i of a word is column order_map[i].
void encode_awq(const Weights &w, SourceArrays &a) {
    const int order_map[8] = {0, 2, 4, 6, 1, 3, 5, 7};
    const int64_t row = (w.n + 7) / 8;
    const auto pack_rows = [&](int64_t rows, auto value_at) {
        Words q = words_of(rows, row);
        for (int64_t i = 0; i < rows; ++i)
            for (int64_t c = 0; c < row; ++c)
                for (int64_t nibble = 0; nibble < 8; ++nibble)
                    if (const int64_t j = 8 * c + order_map[nibble]; j < w.n)
                        set_nibble(q, i * row + c, nibble, value_at(i, j));
        return bytes_of(q);
    };
    a.src = pack_rows(w.k, [&](int64_t i, int64_t j) { return w.code[i * w.n + j]; });
    if (w.zeros == Zeros::Integer)
        a.zeros = pack_rows(w.groups, [&](int64_t g, int64_t j) { return static_cast<int>(w.zero[g * w.n + j]); });
}

// weight_packed[n][k / 8]; weight_zero_point[n / 8][group].
void encode_compressed_tensors(const Weights &w, SourceArrays &a) {
    const int64_t row = (w.k + 7) / 8;
    Words q = words_of(w.n, row);
    for (int64_t j = 0; j < w.n; ++j)
        for (int64_t i = 0; i < w.k; ++i)
            set_nibble(q, j * row + i / 8, i % 8, w.code[i * w.n + j]);
    a.src = bytes_of(q);
    if (w.zeros == Zeros::None)
        return;
    Words z = words_of((w.n + 7) / 8, w.groups);
    for (int64_t j = 0; j < w.n; ++j)
        for (int64_t g = 0; g < w.groups; ++g)
            set_nibble(z, j / 8 * w.groups + g, j % 8, static_cast<int>(w.zero[g * w.n + j]));
    a.zeros = bytes_of(z);
}

// The permutation of the reference packer, generated the way it generates it: for each lane i of 32, column i / 4,
// blocks 0 and 1 (columns 8 apart), rows 2 (i % 4) + {0, 1, 8, 9}; four tiles of 16 columns; then the interleave.
void encode_marlin(const Weights &w, SourceArrays &a) {
    std::vector<int64_t> perm;
    for (int64_t i = 0; i < 32; ++i) {
        std::vector<int64_t> one;
        for (int64_t block = 0; block < 2; ++block)
            for (const int64_t row : {2 * (i % 4), 2 * (i % 4) + 1, 2 * (i % 4 + 4), 2 * (i % 4 + 4) + 1})
                one.push_back(16 * row + i / 4 + 8 * block);
        for (int64_t j = 0; j < 4; ++j)
            for (const int64_t p : one)
                perm.push_back(p + 256 * j);
    }
    const int64_t interleave[8] = {0, 2, 4, 6, 1, 3, 5, 7};
    // A row of tiles, flattened: tile after tile, each 16 x 16; the permutation takes 1024 elements = four tiles.
    Words q = words_of(w.k / 16, 2 * w.n);
    for (int64_t kt = 0; kt < w.k / 16; ++kt)
        for (int64_t chunk = 0; chunk < w.n / 64; ++chunk)
            for (int64_t word = 0; word < 128; ++word)
                for (int64_t nibble = 0; nibble < 8; ++nibble) {
                    const int64_t flat = perm[8 * word + interleave[nibble]];
                    const int64_t i = 16 * kt + flat % 256 / 16;
                    const int64_t j = 64 * chunk + flat / 256 * 16 + flat % 16;
                    set_nibble(q, kt * 2 * w.n + 128 * chunk + word, nibble, w.code[i * w.n + j]);
                }
    a.src = bytes_of(q);
}

// The two permutations of Marlin's scales: 64 at a time when grouped, 32 at a time when one a column.
std::vector<float> marlin_scales(const Weights &w) {
    std::vector<int64_t> perm;
    if (w.groups > 1)
        for (int64_t i = 0; i < 8; ++i)
            for (int64_t j = 0; j < 8; ++j)
                perm.push_back(i + 8 * j);
    else
        for (int64_t i = 0; i < 4; ++i)
            for (const int64_t j : {0, 1, 8, 9, 16, 17, 24, 25})
                perm.push_back(2 * i + j);
    const auto size = static_cast<int64_t>(perm.size());
    std::vector<float> out(w.scale.size());
    for (int64_t i = 0; i < static_cast<int64_t>(out.size()); ++i)
        out[i] = w.scale[i / size * size + perm[i % size]];
    return out;
}

void encode_plain(const Weights &w, const SourceForm &form, SourceArrays &a) {
    const bool k_by_n = form.order == Order::KxN;
    const int64_t rows = k_by_n ? w.k : w.n;
    const int64_t columns = k_by_n ? w.n : w.k;
    const int64_t ld = columns + form.ld_padding;
    a.src.assign(static_cast<size_t>(rows * ld), std::byte{0x77}); // padding that would be refused as a code
    for (int64_t i = 0; i < w.k; ++i)
        for (int64_t j = 0; j < w.n; ++j)
            a.src[k_by_n ? i * ld + j : j * ld + i] =
                static_cast<std::byte>(w.code[i * w.n + j] - (form.src_type == Type::S4 ? 8 : 0));
}

} // namespace

double Weights::value(int64_t row, int64_t column) const {
    const int64_t g = group[row] * n + column;
    const double c = code[row * n + column];
    const double s = scale[g];
    const double z = zero.empty() ? 8.0 : zero[g];
    return zeros == Zeros::Offset ? c * s + z : (c - z) * s;
}

void append_number(std::vector<std::byte> &bytes, double value, Type type) {
    const auto append = [&](auto number) {
        const size_t at = bytes.size();
        bytes.resize(at + sizeof number);
        std::memcpy(bytes.data() + at, &number, sizeof number);
    };
    if (type == Type::F32)
        append(static_cast<float>(value));
    else if (type == Type::F16 || type == Type::BF16)
        append(bits_of(value, type));
    else
        append(static_cast<uint8_t>(value));
}

double number_at(const std::byte *bytes, int64_t index, Type type) {
    if (type == Type::F32) {
        float value = 0;
        std::memcpy(&value, bytes + 4 * index, 4);
        return value;
    }
    if (type == Type::F16) {
        _Float16 value = 0;
        std::memcpy(&value, bytes + 2 * index, 2);
        return static_cast<double>(value);
    }
    if (type == Type::BF16) {
        uint16_t bits = 0;
        std::memcpy(&bits, bytes + 2 * index, 2);
        const uint32_t word = static_cast<uint32_t>(bits) << 16;
        float value = 0;
        std::memcpy(&value, &word, 4);
        return value;
    }
    return std::to_integer<int>(bytes[index]);
}

Weights random_weights(const WeightsOptions &o, std::mt19937 &rng) {
    const auto below = [&](int64_t limit) { return static_cast<int64_t>(rng() % static_cast<uint64_t>(limit)); };
    Weights w;
    w.k = o.k;
    w.n = o.n;
    w.group_size = o.group_size;
    w.groups = o.group_size < 0 ? 1 : (o.k + o.group_size - 1) / o.group_size;
    w.zeros = o.zeros;
    for (int64_t i = 0; i < w.groups * w.n; ++i) {
        // Six significant bits: exact in both half types, and so are offsets that are multiples of the scale.
        const float magnitude = std::ldexp(static_cast<float>(32 + below(32)), static_cast<int>(below(6)) - 12);
        w.scale.push_back(below(5) == 0 ? -magnitude : magnitude);
        if (o.zeros == Zeros::Integer)
            w.zero.push_back(static_cast<float>(below(o.max_zero + 1)));
        if (o.zeros == Zeros::Offset)
            w.zero.push_back(-w.scale.back() * static_cast<float>(1 << below(4)));
    }
    for (int64_t i = 0; i < w.k; ++i)
        w.group.push_back(
            static_cast<int32_t>(o.act_order ? below(w.groups) : i / (o.group_size < 0 ? w.k : o.group_size)));
    for (int64_t i = 0; i < w.k * w.n; ++i)
        w.code.push_back(static_cast<int>(below(16)));
    if (o.pattern24)
        for (int64_t quad = 0; quad < w.k; quad += 4)
            for (int64_t j = 0; j < w.n; ++j) {
                const int64_t keep = below(4);
                const int64_t also = below(4);
                for (int64_t i = quad; i < std::min(quad + 4, w.k); ++i)
                    if (i != quad + keep && i != quad + also) {
                        const int64_t g = w.group[i] * w.n + j;
                        const double zero = w.zero.empty() ? 8.0 : w.zero[g];
                        w.code[i * w.n + j] = static_cast<int>(o.zeros == Zeros::Offset ? -zero / w.scale[g] : zero);
                    }
            }
    return w;
}

PackRequest encode(const Weights &w, const SourceForm &form, SourceArrays &a) {
    a = {};
    switch (form.source) {
    case Source::GptqV1:
    case Source::GptqV2:
        encode_gptq(w, form.source == Source::GptqV1 ? 1 : 0, a);
        break;
    case Source::Awq:
        encode_awq(w, a);
        break;
    case Source::CompressedTensors:
        encode_compressed_tensors(w, a);
        break;
    case Source::Marlin:
        REQUIRE(w.zeros == Zeros::None);
        encode_marlin(w, a);
        break;
    default:
        encode_plain(w, form, a);
    }
    const bool plain = form.source == Source::Plain;
    const bool n_first = form.source == Source::CompressedTensors || (plain && form.order == Order::NxK);
    const std::vector<float> scales = form.source == Source::Marlin ? marlin_scales(w) : w.scale;
    for (int64_t i = 0; i < w.groups * w.n; ++i) {
        const int64_t at = n_first ? i % w.groups * w.n + i / w.groups : i;
        append_number(a.scales, scales[at], form.scale_type);
        if (plain && w.zeros != Zeros::None)
            append_number(a.zeros, w.zero[at], form.zero_type);
    }
    PackRequest r;
    r.source = form.source;
    r.src_type = form.src_type;
    r.src_order = form.order;
    r.src_scale_type = form.scale_type;
    r.src_zero_type = plain && w.zeros != Zeros::None ? form.zero_type : Type::None;
    r.k = w.k;
    r.n = w.n;
    r.ld_src = plain && form.ld_padding > 0 ? (form.order == Order::KxN ? w.n : w.k) + form.ld_padding : 0;
    r.group_size = w.group_size;
    r.src = a.src;
    r.scales = a.scales;
    r.zeros = a.zeros;
    for (int64_t i = 0; i < w.k; ++i)
        if (w.group[i] != i / (w.group_size < 0 ? w.k : w.group_size))
            r.act_order = true;
    if (r.act_order) {
        a.g_idx = w.group;
        r.g_idx = a.g_idx;
    }
    return r;
}

} // namespace marlin::test
