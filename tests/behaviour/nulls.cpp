// NULL wherever a pointer is expected: refused by the parameter's name, in every function.
#include "support/api_multiply.h"

using namespace marlin::test;

TEST_CASE("a NULL handle is refused by every function that takes one") {
    const Handle handle;
    TestWeights weights(handle, {});
    Multiply multiply(weights.source(), 1);
    const marlin_pack_desc pack = weights.source().desc();
    const marlin_pack_input input = weights.source().input();
    auto handle_info = with_size<marlin_handle_info>();
    auto gemm_info = with_size<marlin_gemm_info>();
    auto made = with_size<marlin_weights>();
    auto unpack = with_size<marlin_unpack_desc>();
    marlin_stream_t stream = nullptr;
    int64_t value = 0;
    size_t size = 0;
    void *const packed = weights.packed().data();
    const auto refused = [](marlin_status status) {
        check_refusal(status, MARLIN_INVALID_ARGUMENT, nullptr,
                      {"handle is NULL", "expected one that marlin_handle_create made"});
    };
    refused(marlin_handle_get_info(nullptr, &handle_info));
    refused(marlin_handle_set_stream(nullptr, nullptr));
    refused(marlin_handle_get_stream(nullptr, &stream));
    refused(marlin_handle_set_workspace(nullptr, nullptr, 0));
    refused(marlin_handle_set_option(nullptr, MARLIN_OPTION_MATH, 0));
    refused(marlin_handle_get_option(nullptr, MARLIN_OPTION_MATH, &value));
    refused(marlin_weights_attach(nullptr, packed, weights.packed().size(), &made));
    refused(marlin_pack_size(nullptr, &pack, &size));
    refused(marlin_pack(nullptr, &pack, &input, packed, weights.packed().size(), &made));
    refused(marlin_unpack(nullptr, weights.get(), &unpack));
    refused(marlin_gemm_query(nullptr, &multiply.desc, weights.get(), &gemm_info));
    refused(marlin_gemm(nullptr, &multiply.desc, multiply.a.data(), weights.get(), multiply.c.data()));
    refused(marlin_sp_gemm(nullptr, &multiply.desc, multiply.a.data(), weights.get(), multiply.c.data()));
    CHECK(multiply.c.untouched());
    CHECK(size == 0);
}

TEST_CASE("NULL for anything else is refused by its name") {
    const Handle handle;
    TestWeights weights(handle, {});
    Multiply multiply(weights.source(), 1);
    const marlin_pack_desc pack = weights.source().desc();
    const marlin_pack_input input = weights.source().input();
    auto made = with_size<marlin_weights>();
    auto gemm_info = with_size<marlin_gemm_info>();
    auto unpack = with_size<marlin_unpack_desc>();
    unpack.dst_type = MARLIN_TYPE_F32;
    size_t size = 0;
    GuardedBuffer packed(weights.packed().size());
    const auto refused = [&](marlin_status status, const std::string &text) {
        check_refusal(status, MARLIN_INVALID_ARGUMENT, handle, {text});
    };

    check_refusal(marlin_handle_create(nullptr, nullptr), MARLIN_INVALID_ARGUMENT, nullptr, {"handle is NULL"});
    refused(marlin_handle_get_info(handle, nullptr), "info is NULL");
    refused(marlin_handle_get_stream(handle, nullptr), "stream is NULL");
    refused(marlin_handle_get_option(handle, MARLIN_OPTION_MATH, nullptr), "value is NULL");
    refused(marlin_weights_attach(handle, nullptr, 4096, &made), "packed is NULL");
    refused(marlin_weights_attach(handle, weights.packed().data(), weights.packed().size(), nullptr),
            "weights is NULL");
    refused(marlin_pack_size(handle, nullptr, &size), "desc is NULL");
    refused(marlin_pack_size(handle, &pack, nullptr), "size is NULL");
    refused(marlin_pack(handle, nullptr, &input, packed.data(), packed.size(), &made), "desc is NULL");
    refused(marlin_pack(handle, &pack, nullptr, packed.data(), packed.size(), &made), "input is NULL");
    refused(marlin_pack(handle, &pack, &input, nullptr, packed.size(), &made), "packed is NULL");
    refused(marlin_pack(handle, &pack, &input, packed.data(), packed.size(), nullptr), "weights is NULL");
    CHECK(packed.untouched());
    refused(marlin_unpack(handle, nullptr, &unpack), "weights is NULL");
    refused(marlin_unpack(handle, weights.get(), nullptr), "desc is NULL");
    refused(marlin_gemm_query(handle, nullptr, weights.get(), &gemm_info), "desc is NULL");
    refused(marlin_gemm_query(handle, &multiply.desc, nullptr, &gemm_info), "b is NULL");
    refused(marlin_gemm_query(handle, &multiply.desc, weights.get(), nullptr), "info is NULL");
    for (const auto call : {marlin_gemm, marlin_sp_gemm}) {
        refused(call(handle, nullptr, multiply.a.data(), weights.get(), multiply.c.data()), "desc is NULL");
        refused(call(handle, &multiply.desc, multiply.a.data(), nullptr, multiply.c.data()), "b is NULL");
    }
    refused(marlin_gemm(handle, &multiply.desc, nullptr, weights.get(), multiply.c.data()), "a is NULL");
    refused(marlin_gemm(handle, &multiply.desc, multiply.a.data(), weights.get(), nullptr), "c is NULL");
    CHECK(multiply.c.untouched());
    CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
    CHECK(multiply.right());
}

TEST_CASE("arrays of a pack input come with their size, and sizes with their array") {
    const Handle handle;
    TestWeights weights(handle, {.zero_type = MARLIN_TYPE_U8});
    const marlin_pack_desc desc = weights.source().desc();
    const marlin_pack_input good = weights.source().input();
    auto made = with_size<marlin_weights>();
    GuardedBuffer packed(weights.packed().size());
    const auto refused = [&](const marlin_pack_input &input, const std::string &text) {
        check_refusal(marlin_pack(handle, &desc, &input, packed.data(), packed.size(), &made), MARLIN_INVALID_ARGUMENT,
                      handle, {text});
        CHECK(packed.untouched());
    };
    marlin_pack_input input = good;
    input.src = nullptr;
    refused(input, "input.src is NULL");
    input = good;
    input.scales = nullptr;
    refused(input, "input.scales is NULL and its size is " + std::to_string(good.scales_size));
    input.scales_size = 0;
    refused(input, "scales_size is 0");
    input = good;
    input.zeros = nullptr;
    refused(input, "input.zeros is NULL");
    input.zeros_size = 0;
    refused(input, "zeros_size is 0");
    input = good;
    input.g_idx_size = 4;
    refused(input, "input.g_idx is NULL and its size is 4");
    input = good;
    input.importance_size = 4;
    refused(input, "input.importance is NULL and its size is 4");
    input = good;
    input.column_scales_size = 4;
    refused(input, "input.column_scales is NULL and its size is 4");
    CHECK_SUCCESS(handle, marlin_pack(handle, &desc, &good, packed.data(), packed.size(), &made));
}
