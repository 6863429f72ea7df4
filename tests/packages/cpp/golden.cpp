// Golden vectors: inputs by the formulas of tests/golden/manifest.json give the committed bytes, which multiply right.
#include <cmath>

#include "support.h"

namespace marlin::test {
namespace {

using Json = nlohmann::json;

// The manifest's formulas, as they are read there and as they are computed here. / is of reals, k n g are integers.
double formula(const std::string &text, std::int64_t k, std::int64_t n, std::int64_t g, std::int64_t groups) {
    if (text == "(7 * k + 3 * n + k * n % 5) % 16")
        return static_cast<double>((7 * k + 3 * n + k * n % 5) % 16);
    if (text == "k % 4 == n % 4 or k % 4 == (n + 1 + k // 4 % 3) % 4")
        return k % 4 == n % 4 || k % 4 == (n + 1 + k / 4 % 3) % 4;
    if (text == "((3 * g + n) % 7 + 1) / 64")
        return static_cast<double>((3 * g + n) % 7 + 1) / 64;
    if (text == "(5 * g + n) % 16")
        return static_cast<double>((5 * g + n) % 16);
    if (text == "((g + 3 * n) % 9 - 4) / 8")
        return static_cast<double>((g + 3 * n) % 9 - 4) / 8;
    if (text == "((37 * k + 11 * n + k * n) % 127 - 63) / 64")
        return static_cast<double>((37 * k + 11 * n + k * n) % 127 - 63) / 64;
    if (text == "5 * k % groups")
        return static_cast<double>(5 * k % groups);
    if (text == "(k % 3 + 1) / 2")
        return static_cast<double>(k % 3 + 1) / 2;
    if (text == "(n % 5 + 1) / 4")
        return static_cast<double>(n % 5 + 1) / 4;
    FAIL("the manifest has a formula unknown here: " << text);
    return 0;
}

Type type_named(const std::string &name) {
    static const std::pair<const char *, Type> names[] = {{"none", Type::None}, {"f16", Type::F16},
                                                          {"bf16", Type::BF16}, {"s4", Type::S4},
                                                          {"u4", Type::U4},     {"u8", Type::U8}};
    for (const auto &[known, type] : names)
        if (name == known)
            return type;
    FAIL("the manifest has a type unknown here: " << name);
    return Type::None;
}

std::vector<std::uint8_t> bytes_of(const std::vector<double> &values, Type type) {
    if (type == Type::U4 || type == Type::U8)
        return {values.begin(), values.end()};
    std::vector<std::uint8_t> bytes(2 * values.size());
    const auto bits = encoded(values, type == Type::BF16 ? kBF16 : kF16);
    std::memcpy(bytes.data(), bits.data(), bytes.size());
    return bytes;
}

// One case: its arrays, its description for marlin_pack, and the FP64 number of every weight.
struct Case {
    explicit Case(const Json &json)
        : k(json["k"]), n(json["n"]), groups(json["groups"]), group_size(json["group_size"]),
          rounded(json.contains("value")), text(json) {
        options.src_type = type_named(json["src_type"]);
        options.type = type_named(json["type"]);
        options.scale_type = type_named(json["scale_type"]);
        options.zero_type = type_named(json["zero_type"]);
        options.layout = static_cast<Layout>(json["layout_number"].get<int>());
        const std::string sparsity = json["sparsity"];
        options.sparsity = sparsity == "already_24"  ? Sparsity::Already24
                           : sparsity == "select_24" ? Sparsity::Select24
                                                     : Sparsity::Dense;
        options.act_order = json.contains("g_idx");
        options.column_scales = json.contains("column_scale");
        options.k = k;
        options.n = n;
        options.group_size = group_size;
        if (rounded) {
            REQUIRE(json["scale_method"] == "least_squares");
            options.scale_method = ScaleMethod::LeastSquares;
        } else {
            options.src_scale_type = options.scale_type;
            options.src_zero_type = options.zero_type;
        }
        REQUIRE(json["src_order"] == "k x n");
        make_source();
        make_parameters();
    }

    PackInput input() const {
        PackInput input;
        input.src = src;
        input.scales = scales;
        input.zeros = zeros;
        input.g_idx = g_idx;
        input.importance = importance;
        input.column_scales = column_scales;
        return input;
    }

    double at(const char *key, std::int64_t row, std::int64_t column, std::int64_t g = 0) const {
        return formula(text.at(key), row, column, g, groups);
    }
    bool kept(std::int64_t row, std::int64_t column) const {
        return options.sparsity != Sparsity::Already24 || at("kept", row, column) != 0;
    }
    // What the source says before anything is pruned; not for weights that are rounded here.
    double weight(std::int64_t row, std::int64_t column) const {
        const std::int64_t g = options.act_order ? g_idx[static_cast<std::size_t>(row)] : row / group();
        const double code = kept(row, column) ? at("code", row, column) : 8;
        const double scale = at("scale", row, column, g);
        if (options.zero_type == Type::None)
            return (code - 8) * scale;
        const double zero = at("zero", row, column, g);
        return options.zero_type == Type::U8 ? (code - zero) * scale : code * scale + zero;
    }

    std::int64_t k, n, groups, group_size;
    bool rounded;
    Json text;
    PackOptions options;
    std::vector<std::uint8_t> src, scales, zeros;
    std::vector<std::int32_t> g_idx;
    std::vector<float> importance, column_scales;

private:
    std::int64_t group() const { return group_size < 0 ? k : group_size; }
    void make_source() {
        std::vector<double> values;
        for (std::int64_t row = 0; row < k; ++row) {
            for (std::int64_t column = 0; column < n; ++column)
                values.push_back(rounded             ? at("value", row, column)
                                 : kept(row, column) ? at("code", row, column)
                                                     : std::stod(text.at("code_where_not_kept").get<std::string>()));
            if (rounded)
                importance.push_back(static_cast<float>(at("importance", row, 0)));
            if (options.act_order)
                g_idx.push_back(static_cast<std::int32_t>(at("g_idx", row, 0)));
        }
        src = bytes_of(values, options.src_type);
    }
    void make_parameters() {
        std::vector<double> scale_values, zero_values;
        for (std::int64_t g = 0; g < groups && !rounded; ++g)
            for (std::int64_t column = 0; column < n; ++column) {
                scale_values.push_back(at("scale", 0, column, g));
                if (options.zero_type != Type::None)
                    zero_values.push_back(at("zero", 0, column, g));
            }
        if (!rounded)
            scales = bytes_of(scale_values, options.scale_type);
        if (!zero_values.empty())
            zeros = bytes_of(zero_values, options.zero_type);
        for (std::int64_t column = 0; column < n && options.column_scales; ++column)
            column_scales.push_back(static_cast<float>(at("column_scale", 0, column)));
    }
};

void check_bytes(const Weights &weights, const std::string &expected) {
    const ConstBytes found = weights.bytes();
    REQUIRE(found.size() == expected.size());
    const char *bytes = static_cast<const char *>(found.data());
    std::size_t at = 0;
    while (at < expected.size() && bytes[at] == expected[at])
        ++at;
    CAPTURE(at); // the first byte that differs
    CHECK(at == expected.size());
}

// Whether the weights that come out are those that went in, or, where 2:4 selection may have pruned them, zero.
void check_unpacked(const Case &golden, const std::vector<float> &unpacked) {
    std::int64_t wrong = 0, pruned = 0;
    for (std::int64_t i = 0; i < golden.k * golden.n && !golden.rounded; ++i) {
        const double w = golden.weight(i / golden.n, i % golden.n);
        const float found = unpacked[static_cast<std::size_t>(i)];
        const bool zero = golden.options.sparsity == Sparsity::Select24 && found == 0.0f && w != 0.0;
        pruned += zero;
        wrong += !zero && found != static_cast<float>(w);
    }
    CHECK(wrong == 0);
    CHECK(pruned <= (golden.k + 3) / 4 * 2 * golden.n);
}

void check_multiply(Handle &handle, const Case &golden, const Weights &weights, const std::vector<float> &unpacked) {
    constexpr std::int64_t m = 3;
    const auto size = [](std::int64_t rows, std::int64_t cols) { return static_cast<std::size_t>(rows * cols); };
    std::vector<float> a(size(m, golden.k)), c(size(m, golden.n), NAN), bias(static_cast<std::size_t>(golden.n), 0.5f);
    for (std::size_t i = 0; i < a.size(); ++i)
        a[i] = static_cast<float>(static_cast<int>(i * 7 % 19) - 9) / 8;
    const auto multiply = [&] {
        if (weights.sparse())
            handle.sp_gemm({a, m, golden.k}, weights, {c, m, golden.n}, bias);
        else
            handle.gemm({a, m, golden.k}, weights, {c, m, golden.n}, bias);
    };
    if (weights.column_scales()) {
        CHECK(refusal(multiply).status() == Status::NotSupported);
        return;
    }
    multiply();
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < m * golden.n; ++i) {
        double exact = 0.5, magnitude = 0.5;
        for (std::int64_t k = 0; k < golden.k; ++k) {
            const double product = static_cast<double>(a[size(i / golden.n, golden.k) + static_cast<std::size_t>(k)]) *
                                   unpacked[size(k, golden.n) + static_cast<std::size_t>(i % golden.n)];
            exact += product;
            magnitude += std::fabs(product);
        }
        const double bound = static_cast<double>(golden.k + 3) * 0x1p-23 * magnitude;
        wrong += !(std::fabs(c[static_cast<std::size_t>(i)] - exact) <= bound);
    }
    CHECK(wrong == 0);
}

} // namespace

TEST_CASE("golden vectors are packed to the same bytes, attach, and multiply right", "[golden]") {
    Handle handle(cpu_options());
    const Json manifest = golden_json("manifest.json");
    REQUIRE(manifest["cases"].size() >= 16);
    for (const Json &json : manifest["cases"]) {
        const std::string name = json["name"];
        CAPTURE(name);
        const Case golden(json);
        const std::string file = golden_file(json["file"]);
        REQUIRE(file.size() == json["size"].get<std::size_t>());
        check_bytes(handle.pack(golden.options, golden.input()), file);

        const Weights weights = handle.attach(in_memory(file), file.size());
        CHECK(weights.k() == golden.k);
        CHECK(weights.n() == golden.n);
        CHECK(weights.group_size() == golden.group_size);
        CHECK(weights.layout() == golden.options.layout);
        CHECK(weights.type() == golden.options.type);
        CHECK(weights.scale_type() == golden.options.scale_type);
        CHECK(weights.zero_type() == golden.options.zero_type);
        CHECK(weights.sparse() == (golden.options.sparsity != Sparsity::Dense));
        CHECK(weights.act_order() == golden.options.act_order);
        CHECK(weights.column_scales() == golden.options.column_scales);
        std::vector<float> unpacked(static_cast<std::size_t>(golden.k * golden.n), NAN);
        handle.unpack(weights, {unpacked, golden.k, golden.n}, Order::KxN);
        check_unpacked(golden, unpacked);
        check_multiply(handle, golden, weights, unpacked);
    }
}

} // namespace marlin::test
