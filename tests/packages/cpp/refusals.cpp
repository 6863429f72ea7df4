// The bad calls of tests/golden/refusals.json: the same status and words as in every other language.
#include <cmath>
#include <map>

#include "support.h"

namespace marlin::test {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t k = 64, n = 16, groups = 2;

template <typename Value>
Value named(const std::map<std::string, Value> &names, const std::string &name) {
    INFO(name << " is unknown here");
    REQUIRE(names.count(name) == 1);
    return names.at(name);
}

double number(const Json &json) {
    if (!json.is_string())
        return json.get<double>();
    return named<double>({{"nan", NAN}, {"inf", INFINITY}, {"-inf", -INFINITY}}, json);
}

Error refused_handle(const Json &json) {
    return refusal([&] {
        HandleOptions options = cpu_options(json["num_threads"]);
        options.device_id = json["device_id"];
        const Handle handle(options);
    });
}

Error refused_option(Handle &handle, const Json &json) {
    const Option option = named<Option>({{"MATH", Option::Math},
                                         {"SM_COUNT", Option::SmCount},
                                         {"NUM_THREADS", Option::NumThreads},
                                         {"CPU_ISA", Option::CpuIsa},
                                         {"KERNEL", Option::Kernel},
                                         {"DEPENDENT_LAUNCH", Option::DependentLaunch}},
                                        json["option"]);
    return refusal([&] { handle.set_option(option, json["value"].get<std::int64_t>()); });
}

Error refused_pack(Handle &handle, const Json &json) {
    std::vector<float> values(k * n, 1.0f);
    std::vector<std::int8_t> codes(k * n, 1);
    std::vector<double> scale_values(groups * n, 1.0);
    const auto at = [](const Json &place, const char *row) {
        return place[row].get<std::size_t>() * n + place["n"].get<std::size_t>();
    };
    if (json.contains("value"))
        values[at(json["value"], "k")] = static_cast<float>(number(json["value"]["is"]));
    if (json.contains("code"))
        codes[at(json["code"], "k")] = json["code"]["is"];
    if (json.contains("scale"))
        scale_values[at(json["scale"], "group")] = number(json["scale"]["is"]);
    std::vector<std::uint16_t> scales;
    for (const double value : scale_values)
        scales.push_back(std::isinf(value) ? 0x7c00 : encode_half(value, kF16));

    PackOptions options;
    options.k = k;
    options.n = n;
    options.group_size = json.value("group_size", 32);
    options.sparsity = named<Sparsity>(
        {{"dense", Sparsity::Dense}, {"already_24", Sparsity::Already24}, {"select_24", Sparsity::Select24}},
        json.value("sparsity", "dense"));
    options.src_type = named<Type>({{"f32", Type::F32}, {"s4", Type::S4}}, json.value("src_type", "f32"));
    PackInput input;
    if (options.src_type == Type::S4) {
        options.src_scale_type = Type::F16;
        input.src = codes;
        input.scales = scales;
    } else {
        input.src = values;
    }
    return refusal([&] { handle.pack(options, input); });
}

Error refused_attach(Handle &handle, const Json &json) {
    std::string file = golden_file(json["file"]);
    if (json.contains("byte"))
        file.at(json["byte"]) = static_cast<char>(file.at(json["byte"]) ^ json["xor"].get<int>());
    file.resize(json.value("size", file.size()));
    return refusal([&] { handle.attach(in_memory(file), file.size()); });
}

Error refused_gemm(Handle &handle, const Json &json) {
    const std::string file = golden_file(json["file"]);
    const Weights weights = handle.attach(in_memory(file), file.size());
    const std::vector<f16> a(static_cast<std::size_t>(3 * weights.k()));
    std::vector<float> c(static_cast<std::size_t>(3 * weights.n()));
    return refusal([&] {
        if (json["sparse"])
            handle.sp_gemm({a, 3, weights.k()}, weights, {c, 3, weights.n()});
        else
            handle.gemm({a, 3, weights.k()}, weights, {c, 3, weights.n()});
    });
}

void check_known(const Json &json, std::initializer_list<const char *> keys) {
    std::vector<std::string> known(keys.begin(), keys.end());
    known.insert(known.end(), {"name", "call", "status", "text"});
    for (const auto &item : json.items()) {
        CAPTURE(item.key()); // else the case would be another than it says
        CHECK(std::find(known.begin(), known.end(), item.key()) != known.end());
    }
}

} // namespace

TEST_CASE("bad calls are refused in the library's words", "[refusals]") {
    Handle handle(cpu_options());
    const Json refusals = golden_json("refusals.json");
    REQUIRE(refusals["cases"].size() >= 13);
    for (const Json &json : refusals["cases"]) {
        const std::string name = json["name"], call = json["call"];
        CAPTURE(name, call);
        Error error(Status::Success, "");
        if (call == "handle") {
            check_known(json, {"device_id", "num_threads"});
            error = refused_handle(json);
        } else if (call == "option") {
            check_known(json, {"option", "value"});
            error = refused_option(handle, json);
        } else if (call == "pack") {
            check_known(json, {"group_size", "src_type", "sparsity", "value", "code", "scale"});
            error = refused_pack(handle, json);
        } else if (call == "attach") {
            check_known(json, {"file", "byte", "xor", "size"});
            error = refused_attach(handle, json);
        } else if (call == "gemm") {
            check_known(json, {"file", "sparse"});
            error = refused_gemm(handle, json);
        }
        CHECK(to_string(error.status()) == json["status"].get<std::string>());
        CHECK(error.what() == json["text"].get<std::string>());
        CHECK(handle.option(Option::Math) == 0); // the handle still works
    }
}

} // namespace marlin::test
