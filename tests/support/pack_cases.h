// Pack requests drawn at random from everything that the packer takes, with the arrays behind them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "formats/words.h"
#include "pack/group_values.h"
#include "pack/pack.h"
#include "pack/row_order.h"
#include "support/random.h"

namespace marlin::test {

enum class Rows { InOrder, Shuffled, Ragged };

struct PackSpec {
    PackRequest request; // spans empty
    Rows rows = Rows::InOrder;
    bool importance = false;
    bool zeros = false;       // words that may have zeros or not
    int64_t misalignment = 0; // of all arrays of bytes
    uint64_t seed = 0;
};

inline std::string describe(const PackSpec &s) {
    const PackRequest &r = s.request;
    return fmt::format("source {} {} order {} scales {} zeros {} -> {} {} {} {} k {} n {} ld {} group {} method {} "
                       "sparsity {} rows {} importance {} column scales {} at {} seed {}",
                       static_cast<int>(r.source), to_string(r.src_type), static_cast<int>(r.src_order),
                       to_string(r.src_scale_type), to_string(r.src_zero_type), to_string(r.type),
                       to_string(r.zero_type), to_string(r.scale_type), to_string(r.layout), r.k, r.n, r.ld_src,
                       r.group_size, static_cast<int>(r.scale_method), static_cast<int>(r.sparsity),
                       static_cast<int>(s.rows), s.importance, r.has_column_scales, s.misalignment, s.seed);
}

inline PackSpec random_spec(uint64_t seed) {
    Random random(seed);
    PackSpec s;
    s.seed = seed;
    PackRequest &r = s.request;
    r.source = random.pick({Source::Plain, Source::Plain, Source::Plain, Source::GptqV1, Source::GptqV2, Source::Awq,
                            Source::CompressedTensors, Source::Marlin});
    const bool plain = r.source == Source::Plain;
    r.group_size = random.pick<int64_t>({32, 64, 128, -1});
    r.layout = random.pick({Layout::Dense, Layout::Sparse24Draft, Layout::CpuDraft, Layout::CpuSparse24Draft});
    r.scale_type = random.pick({Type::None, Type::F16, Type::BF16});
    const bool round = random.chance(); // whole tiles, aligned
    r.k = round ? 64 * random.between(1, 6) : random.between(1, 400);
    r.n = round ? 64 * random.between(1, 3) : random.between(1, 200);
    if (r.source == Source::Marlin) {
        r.k = round_up(r.k, 16);
        r.n = round_up(r.n, 64);
    }
    if (r.source == Source::Awq)
        r.n = round_up(r.n, 8);
    s.misalignment = random.between(0, 3) == 0 ? random.between(1, 15) : 0;
    r.has_column_scales = random.between(0, 3) == 0;
    s.importance = random.chance();
    if (random.chance())
        s.rows = random.pick({Rows::Shuffled, Rows::Ragged});
    r.act_order = s.rows != Rows::InOrder;
    if (is_sparse24(r.layout))
        r.sparsity = r.act_order || random.chance() ? Sparsity::Select24 : Sparsity::Already24;

    if (plain) {
        r.src_type = random.pick({Type::F16, Type::BF16, Type::F32, Type::S4, Type::U4});
        r.src_order = random.pick({Order::KxN, Order::NxK});
        if (random.between(0, 2) == 0)
            r.ld_src = (r.src_order == Order::KxN ? r.n : r.k) + random.pick<int64_t>({3, 16});
    }
    if (plain && is_float(r.src_type)) {
        r.scale_method = random.pick({ScaleMethod::MinMax, ScaleMethod::LeastSquares});
        r.type = random.pick({Type::S4, Type::U4});
        if (r.type == Type::U4)
            r.zero_type = random.pick({Type::U8, Type::F16, Type::BF16, Type::F32});
    } else {
        r.src_scale_type = random.pick({Type::F16, Type::BF16, Type::F32});
        if (plain && r.src_type == Type::U4)
            r.src_zero_type = random.pick({Type::None, Type::U8, Type::F16, Type::BF16, Type::F32});
        if (is_float(r.src_zero_type))
            r.zero_type = random.pick({Type::None, Type::F32, Type::BF16});
        s.zeros = r.source == Source::Awq || (!plain && r.source != Source::Marlin && random.chance());
        if (!s.zeros && r.src_zero_type == Type::None)
            r.type = random.pick({Type::None, Type::U4});
    }
    return s;
}

// A request with its arrays. `request` points into them.
class PackCase {
public:
    explicit PackCase(const PackSpec &given) : spec(given), request(given.request), random_(given.seed + 1) {
        fill_rows();
        groups_ = source_group_count(request.k, request.group_size);
        if (request.source == Source::Plain && is_float(request.src_type)) {
            fill_values();
            return;
        }
        fill_scales_and_zeros();
        fill_codes();
        if (request.sparsity == Sparsity::Already24)
            prune();
    }
    PackCase(const PackCase &) = delete;
    PackCase &operator=(const PackCase &) = delete;

    PackSpec spec;
    PackRequest request;
    std::vector<std::byte> src, scales, zeros; // the arrays begin spec.misalignment bytes in
    std::vector<int32_t> g_idx;
    std::vector<float> importance, column_scales;

    std::byte *src_data() { return src.data() + spec.misalignment; }
    std::byte *scales_data() { return scales.data() + spec.misalignment; }
    std::byte *zeros_data() { return zeros.data() + spec.misalignment; }
    int64_t groups() const { return groups_; }
    static void put(std::byte *array, int64_t index, double value, Type type) {
        const uint32_t bits = stored_bits(static_cast<float>(value), type);
        std::memcpy(array + index * size_of(type), &bits, static_cast<size_t>(size_of(type)));
    }
    // Element of a plain source.
    int64_t index(int64_t k, int64_t n) const {
        const bool k_by_n = request.src_order == Order::KxN;
        const int64_t ld = request.ld_src != 0 ? request.ld_src : k_by_n ? request.n : request.k;
        return k_by_n ? k * ld + n : n * ld + k;
    }

private:
    std::span<const std::byte> make(std::vector<std::byte> &storage, int64_t size) {
        storage.resize(static_cast<size_t>(size + spec.misalignment));
        return std::span(storage).subspan(static_cast<size_t>(spec.misalignment));
    }
    void fill_rows() {
        const int64_t k = request.k;
        const int64_t size = request.group_size < 0 ? k : request.group_size;
        for (int64_t row = 0; row < k && request.act_order; ++row)
            g_idx.push_back(
                static_cast<int32_t>(spec.rows == Rows::Ragged ? random_.between(0, (k - 1) / size) : row / size));
        for (int64_t row = k - 1; row > 0 && request.act_order; --row)
            std::swap(g_idx[static_cast<size_t>(row)], g_idx[static_cast<size_t>(random_.between(0, row))]);
        for (int64_t row = 0; row < k && spec.importance; ++row)
            importance.push_back(static_cast<float>(random_.between(0, 3)) * 0.75f);
        for (int64_t n = 0; n < request.n && request.has_column_scales; ++n)
            column_scales.push_back(static_cast<float>(random_.real(-2, 2)));
        request.g_idx = g_idx;
        request.importance = importance;
        request.column_scales = column_scales;
    }

    int64_t plain_elements() const { return index(request.k - 1, request.n - 1) + 1; }

    void fill_values() {
        request.src = make(src, plain_elements() * size_of(request.src_type));
        const int kind = static_cast<int>(random_.between(0, 3));
        for (int64_t k = 0; k < request.k; ++k)
            for (int64_t n = 0; n < request.n; ++n)
                put(src_data(), index(k, n), value(kind, k, n), request.src_type);
    }
    // Ordinary weights; exact ties and zeros of both signs; tiny ones; the largest that can be scaled, and equal ones.
    double value(int kind, int64_t k, int64_t n) {
        const double ordinary = random_.real(-1, 1) * random_.real(0, 1);
        if (kind == 1)
            return static_cast<double>(random_.between(-14, 14)) * (random_.chance() ? 0.5 : -0.5);
        if (kind == 2)
            return ordinary * (n % 3 == 0 ? 0x1p-14 : n % 3 == 1 ? 0x1p-23 : 0x1p-125);
        if (kind == 3)
            return n % 4 == 0 ? 3.5 : n % 4 == 1 ? -0.0 : n % 4 == 2 ? ordinary * 60000 : k % 7 == 0 ? 1e-3 : ordinary;
        return ordinary;
    }

    void fill_scales_and_zeros() {
        const int64_t count = groups_ * request.n;
        request.scales = make(scales, count * size_of(request.src_scale_type));
        for (int64_t i = 0; i < count; ++i)
            put(scales_data(), i, random_.real(-0.1, 1) * (i % 50 == 0 ? 1e-6 : 0.01), request.src_scale_type);
        const Type type = request.src_zero_type;
        if (type != Type::None) {
            request.zeros = make(zeros, count * size_of(type));
            const bool pruned = request.sparsity == Sparsity::Already24;
            for (int64_t i = 0; i < count; ++i)
                put(zeros_data(), i,
                    type == Type::U8 ? static_cast<double>(random_.between(0, pruned ? 15 : 16))
                    : pruned         ? 0.0
                                     : random_.real(-1, 1),
                    type);
        } else if (spec.zeros) {
            const bool along_n = request.source != Source::CompressedTensors;
            const int64_t words = along_n ? groups_ * div_up(request.n, 8) : div_up(request.n, 8) * groups_;
            request.zeros = make(zeros, words * 4);
            const unsigned mask = request.sparsity == Sparsity::Already24 ? 0x77 : 0xff;
            for (int64_t i = 0; i < words * 4; ++i)
                zeros_data()[i] = static_cast<std::byte>(random_.next() & mask);
        }
    }

    void fill_codes() {
        const int64_t words_of_k = div_up(request.k, 8);
        const int64_t words_of_n = div_up(request.n, 8);
        switch (request.source) {
        case Source::Plain:
            request.src = make(src, plain_elements());
            for (int64_t k = 0; k < request.k; ++k)
                for (int64_t n = 0; n < request.n; ++n)
                    src_data()[index(k, n)] =
                        static_cast<std::byte>(random_.between(0, 15) - (request.src_type == Type::S4 ? 8 : 0));
            return;
        case Source::Awq:
            request.src = make(src, request.k * words_of_n * 4);
            break;
        case Source::CompressedTensors:
            request.src = make(src, request.n * words_of_k * 4);
            break;
        default:
            request.src = make(src, words_of_k * request.n * 4);
        }
        for (size_t i = 0; i < request.src.size(); ++i)
            src_data()[i] = static_cast<std::byte>(random_.next());
    }

    // Two rows of every four become 0 in every column.
    void prune() {
        const Type zero_type = request.src_zero_type != Type::None ? request.src_zero_type
                               : spec.zeros                        ? Type::U8
                                                                   : Type::None;
        const GroupValues values(request, zero_type, groups_);
        for (int64_t quad = 0; quad < request.k; quad += 4)
            for (int64_t n = 0; n < request.n; ++n) {
                const int64_t first = random_.between(0, 2);
                for (const int64_t row : {quad + first, quad + random_.between(first + 1, 3)})
                    if (row < request.k) {
                        const int64_t group = request.group_size < 0 ? 0 : row / request.group_size;
                        set_code(row, n, static_cast<unsigned>(values.zero(group, n)));
                    }
            }
    }
    void set_code(int64_t k, int64_t n, unsigned code) {
        NibbleAt at = {};
        switch (request.source) {
        case Source::Plain:
            src_data()[index(k, n)] = static_cast<std::byte>(code - (request.src_type == Type::S4 ? 8 : 0));
            return;
        case Source::Awq:
            at = awq_weight_at(k, n, request.n);
            break;
        case Source::CompressedTensors:
            at = compressed_tensors_weight_at(k, n, request.k);
            break;
        case Source::Marlin:
            at = marlin_weight_at(k, n, request.n);
            break;
        default:
            at = gptq_weight_at(k, n, request.n);
        }
        const uint32_t word = (read_word(src_data(), at.word) & ~(15u << at.shift)) | code << at.shift;
        std::memcpy(src_data() + at.word * 4, &word, sizeof word);
    }

    Random random_;
    int64_t groups_ = 1;
};

// A request to unpack weights, and memory for it that shows what was not written.
class UnpackCase {
public:
    UnpackCase(const WeightsView &w, uint64_t seed) {
        Random random(seed);
        request.dst_type = random.pick({Type::F16, Type::BF16, Type::F32, w.shape().type});
        request.dst_order = random.pick({Order::KxN, Order::NxK});
        const bool k_by_n = request.dst_order == Order::KxN;
        const int64_t tight = k_by_n ? w.n : w.k;
        if (random.between(0, 2) == 0)
            request.ld_dst = tight + random.pick<int64_t>({1, 16});
        misalignment = random.between(0, 2) == 0 ? random.between(1, 15) : 0;
        const int64_t elements = (k_by_n ? w.k : w.n) * std::max(tight, request.ld_dst);
        dst.assign(static_cast<size_t>(elements * size_of(request.dst_type) + misalignment), std::byte{0x5a});
        const int64_t values = w.geometry.groups() * w.n;
        scales.assign(static_cast<size_t>(values * size_of(w.shape().scale_type)), std::byte{0x5a});
        zeros.assign(static_cast<size_t>(values * size_of(w.shape().zero_type)), std::byte{0x5a});
    }
    // The request over `dst`, `scales` and `zeros` of some memory of these sizes.
    UnpackRequest over(std::byte *dst_at, std::byte *scales_at, std::byte *zeros_at) const {
        UnpackRequest result = request;
        result.dst = std::span(dst_at, dst.size()).subspan(static_cast<size_t>(misalignment));
        result.scales = {scales_at, scales.size()};
        result.zeros = {zeros_at, zeros.size()};
        return result;
    }
    UnpackRequest over_own() { return over(dst.data(), scales.data(), zeros.data()); }

    UnpackRequest request; // without memory
    int64_t misalignment = 0;
    std::vector<std::byte> dst, scales, zeros;
};

} // namespace marlin::test
