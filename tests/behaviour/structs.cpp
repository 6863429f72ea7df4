// The rules of struct_size and of reserved fields, for every struct of the interface.
#include <algorithm>
#include <cstring>
#include <functional>

#include "support/api_multiply.h"

using namespace marlin::test;

namespace {

// A struct as a newer header might have it: with a tail that this library does not know.
template <typename T>
struct Extended {
    T known = {};
    unsigned char tail[64] = {};
};

template <typename T>
using Call = std::function<marlin_status(T *)>;

// `good` is accepted by `call`; its struct_size is made wrong in every way. Errors are found at `handle`.
template <typename T>
void check_input_struct(const T &good, const char *name, marlin_handle_t handle, const Call<T> &call) {
    INFO("struct " << name);
    Extended<T> extended;
    extended.known = good;
    T *const given = &extended.known;
    CHECK_SUCCESS(handle, call(given));

    const std::string expectation = "expected sizeof the struct, " + std::to_string(sizeof(T));
    for (const uint32_t size : {0u, 4u, static_cast<uint32_t>(sizeof(T)) - 1, 0xcccccccc, UINT32_MAX}) {
        given->struct_size = size;
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, call(given),
                      std::string(name) + ".struct_size is " + std::to_string(size), expectation);
    }
    given->struct_size = sizeof(T) + sizeof extended.tail;
    CHECK_SUCCESS(handle, call(given));
    for (const size_t nonzero : {size_t{0}, sizeof extended.tail - 1}) {
        extended.tail[nonzero] = 1;
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, call(given), std::string(name) + ".struct_size is ",
                      "bytes behind them are not zero");
        extended.tail[nonzero] = 0;
    }
    // What lies behind struct_size is nobody's business.
    given->struct_size = sizeof(T);
    extended.tail[0] = 1;
    CHECK_SUCCESS(handle, call(given));
}

// An output struct too small is refused untouched; in a larger one only the known part is filled.
template <typename T>
void check_output_struct(const char *name, marlin_handle_t handle, const Call<T> &call) {
    INFO("struct " << name);
    Extended<T> extended;
    std::memset(static_cast<void *>(&extended), 0x5a, sizeof extended);
    for (const uint32_t size : {0u, 4u, static_cast<uint32_t>(sizeof(T)) - 1}) {
        extended.known.struct_size = size;
        const Extended<T> before = extended;
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, call(&extended.known),
                      std::string(name) + ".struct_size is " + std::to_string(size),
                      "expected sizeof the struct, " + std::to_string(sizeof(T)));
        CHECK(std::memcmp(&before, &extended, sizeof extended) == 0);
    }
    extended.known.struct_size = sizeof extended;
    CHECK_SUCCESS(handle, call(&extended.known));
    CHECK(extended.known.struct_size == sizeof extended);
    CHECK(std::all_of(std::begin(extended.tail), std::end(extended.tail), [](unsigned char c) { return c == 0x5a; }));
}

} // namespace

TEST_CASE("descriptions are read by their struct_size") {
    const Handle handle;
    TestWeights weights(handle, {});
    TestWeights sparse(handle, {.sparse = true});
    Multiply multiply(weights.source(), 2);
    Multiply sparse_multiply(sparse.source(), 2);
    const marlin_pack_desc pack = weights.source().desc();
    const marlin_pack_input input = weights.source().input();
    auto info = with_size<marlin_gemm_info>();
    auto packed_as = with_size<marlin_weights>();
    auto unpack = with_size<marlin_unpack_desc>();
    unpack.dst_type = MARLIN_TYPE_F16;

    check_input_struct<marlin_handle_desc>(cpu_desc(1), "desc", nullptr, [](marlin_handle_desc *desc) {
        marlin_handle_t made = nullptr;
        const marlin_status status = marlin_handle_create(desc, &made);
        marlin_handle_destroy(made);
        return status;
    });
    check_input_struct<marlin_pack_desc>(pack, "desc", handle, [&](marlin_pack_desc *desc) {
        size_t size = 0;
        return marlin_pack_size(handle, desc, &size);
    });
    check_input_struct<marlin_pack_desc>(pack, "desc", handle, [&](marlin_pack_desc *desc) {
        return marlin_pack(handle, desc, &input, weights.packed().data(), weights.packed().size(), &packed_as);
    });
    check_input_struct<marlin_pack_input>(input, "input", handle, [&](marlin_pack_input *given) {
        return marlin_pack(handle, &pack, given, weights.packed().data(), weights.packed().size(), &packed_as);
    });
    check_input_struct<marlin_unpack_desc>(
        unpack, "desc", handle, [&](marlin_unpack_desc *desc) { return marlin_unpack(handle, weights.get(), desc); });
    check_input_struct<marlin_weights>(*weights.get(), "weights", handle,
                                       [&](marlin_weights *given) { return marlin_unpack(handle, given, &unpack); });
    check_input_struct<marlin_weights>(*weights.get(), "b", handle, [&](marlin_weights *given) {
        return marlin_gemm(handle, &multiply.desc, multiply.a.data(), given, multiply.c.data());
    });
    check_input_struct<marlin_gemm_desc>(multiply.desc, "desc", handle, [&](marlin_gemm_desc *desc) {
        return marlin_gemm(handle, desc, multiply.a.data(), weights.get(), multiply.c.data());
    });
    check_input_struct<marlin_gemm_desc>(multiply.desc, "desc", handle, [&](marlin_gemm_desc *desc) {
        return marlin_gemm_query(handle, desc, weights.get(), &info);
    });
    check_input_struct<marlin_gemm_desc>(sparse_multiply.desc, "desc", handle, [&](marlin_gemm_desc *desc) {
        return marlin_sp_gemm(handle, desc, sparse_multiply.a.data(), sparse.get(), sparse_multiply.c.data());
    });
}

TEST_CASE("output structs are filled as far as both sides know them") {
    const Handle handle;
    TestWeights weights(handle, {});
    const Multiply multiply(weights.source(), 2);
    const marlin_pack_desc pack = weights.source().desc();
    const marlin_pack_input input = weights.source().input();
    check_output_struct<marlin_handle_info>(
        "info", handle, [&](marlin_handle_info *info) { return marlin_handle_get_info(handle, info); });
    check_output_struct<marlin_gemm_info>("info", handle, [&](marlin_gemm_info *info) {
        return marlin_gemm_query(handle, &multiply.desc, weights.get(), info);
    });
    check_output_struct<marlin_weights>("weights", handle, [&](marlin_weights *out) {
        return marlin_weights_attach(handle, weights.packed().data(), weights.packed().size(), out);
    });
    check_output_struct<marlin_weights>("weights", handle, [&](marlin_weights *out) {
        return marlin_pack(handle, &pack, &input, weights.packed().data(), weights.packed().size(), out);
    });
}

TEST_CASE("reserved fields that are not zero are refused") {
    const Handle handle;
    TestWeights weights(handle, {});
    Multiply multiply(weights.source(), 1);
    const marlin_pack_desc pack = weights.source().desc();
    const marlin_pack_input input = weights.source().input();
    auto made = with_size<marlin_weights>();
    const auto pack_with = [&](const marlin_pack_desc &desc, const marlin_pack_input &given) {
        return marlin_pack(handle, &desc, &given, weights.packed().data(), weights.packed().size(), &made);
    };
    for (size_t i = 0; i < std::size(pack.reserved); ++i) {
        marlin_pack_desc bad = pack;
        bad.reserved[i] = 7;
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, pack_with(bad, input), "desc.reserved is 7", "expected 0");
    }
    for (size_t i = 0; i < std::size(input.reserved); ++i) {
        marlin_pack_input bad = input;
        bad.reserved[i] = 7;
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, pack_with(pack, bad), "input.reserved is 7", "expected 0");
    }
    marlin_pack_desc bad_pack = pack;
    bad_pack.reserved0 = -1;
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, pack_with(bad_pack, input), "desc.reserved0 is -1", "expected 0");
    for (size_t i = 0; i < std::size(multiply.desc.reserved); ++i) {
        multiply.desc.reserved[i] = uint64_t{1} << 63;
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, multiply.run(handle, weights.get()),
                      "desc.reserved is 9223372036854775808", "expected 0");
        multiply.desc.reserved[i] = 0;
    }
    CHECK(multiply.c.untouched());
    auto unpack = with_size<marlin_unpack_desc>();
    unpack.dst_type = MARLIN_TYPE_F32;
    for (size_t i = 0; i < std::size(unpack.reserved); ++i) {
        unpack.reserved[i] = 7;
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_unpack(handle, weights.get(), &unpack),
                      "desc.reserved is 7", "expected 0");
        unpack.reserved[i] = 0;
    }
    unpack.reserved0 = 1;
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_unpack(handle, weights.get(), &unpack), "desc.reserved0 is 1",
                  "expected 0");
}
