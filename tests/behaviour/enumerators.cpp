// Enumerators out of range, one field at a time, and numbers that are kept for later versions.
#include "support/api_multiply.h"

using namespace marlin::test;

namespace {

struct Field {
    const char *name;
    int32_t marlin_pack_desc::*member;
    int32_t highest;
};
const Field kPackFields[] = {
    {"desc.source", &marlin_pack_desc::source, 6},
    {"desc.src_type", &marlin_pack_desc::src_type, 10},
    {"desc.src_order", &marlin_pack_desc::src_order, 1},
    {"desc.src_scale_type", &marlin_pack_desc::src_scale_type, 10},
    {"desc.src_zero_type", &marlin_pack_desc::src_zero_type, 10},
    {"desc.type", &marlin_pack_desc::type, 10},
    {"desc.zero_type", &marlin_pack_desc::zero_type, 10},
    {"desc.scale_type", &marlin_pack_desc::scale_type, 10},
    {"desc.scale_method", &marlin_pack_desc::scale_method, 1},
    {"desc.sparsity", &marlin_pack_desc::sparsity, 2},
};

constexpr int32_t kKeptTypes[] = {MARLIN_TYPE_S8, MARLIN_TYPE_F8E4M3, MARLIN_TYPE_S3, MARLIN_TYPE_U3};

} // namespace

TEST_CASE("enumerators of a pack description out of range are refused by name") {
    const Handle handle;
    const WeightSource source({});
    for (const Field &field : kPackFields)
        for (const int32_t value : {-1, field.highest + 1, INT32_MAX, INT32_MIN}) {
            marlin_pack_desc desc = source.desc();
            desc.*field.member = value;
            size_t size = 4711;
            CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_pack_size(handle, &desc, &size),
                          std::string(field.name) + " is " + std::to_string(value), "expected 0 to");
            CHECK(size == 4711);
        }
    for (const int32_t layout : {-1, 2, 0xfff, 0x1000, 0x1004, INT32_MAX}) {
        marlin_pack_desc desc = source.desc();
        desc.layout = layout;
        size_t size = 4711;
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_pack_size(handle, &desc, &size), "desc.layout is ",
                      "expected 0 or one of marlin_layout");
        CHECK(size == 4711);
    }
    marlin_pack_desc desc = source.desc();
    desc.flags = 4;
    size_t size = 0;
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_pack_size(handle, &desc, &size), "desc.flags is 0x4",
                  "expected a sum of MARLIN_PACK_");
}

TEST_CASE("types kept for later versions are not supported, wherever they are named") {
    const Handle handle;
    TestWeights weights(handle, {});
    for (const int32_t type : kKeptTypes) {
        for (const Field &field : kPackFields) {
            if (field.highest != 10)
                continue;
            marlin_pack_desc desc = weights.source().desc();
            desc.*field.member = type;
            size_t size = 0;
            CHECK_REFUSED(handle, MARLIN_NOT_SUPPORTED, marlin_pack_size(handle, &desc, &size),
                          std::string(field.name) + " is " + std::to_string(type));
        }
        auto unpack = with_size<marlin_unpack_desc>();
        unpack.dst_type = type;
        CHECK_REFUSED(handle, MARLIN_NOT_SUPPORTED, marlin_unpack(handle, weights.get(), &unpack),
                      "desc.dst_type is " + std::to_string(type));
        for (int32_t marlin_gemm_desc::*member :
             {&marlin_gemm_desc::a_type, &marlin_gemm_desc::c_type, &marlin_gemm_desc::bias_type}) {
            Multiply multiply(weights.source(), 1);
            multiply.desc.*member = type;
            CHECK_REFUSED(handle, MARLIN_NOT_SUPPORTED, multiply.run(handle, weights.get()),
                          "_type is " + std::to_string(type));
            CHECK(multiply.c.untouched());
        }
    }
    marlin_pack_desc desc = weights.source().desc();
    desc.source = MARLIN_SOURCE_MARLIN_24;
    size_t size = 0;
    CHECK_REFUSED(handle, MARLIN_NOT_SUPPORTED, marlin_pack_size(handle, &desc, &size), "source is 6");
}

TEST_CASE("types of a multiply out of range are refused by name") {
    const Handle handle;
    TestWeights weights(handle, {});
    struct TypeField {
        const char *name;
        int32_t marlin_gemm_desc::*member;
    };
    for (const TypeField &field :
         {TypeField{"desc.a_type", &marlin_gemm_desc::a_type}, TypeField{"desc.c_type", &marlin_gemm_desc::c_type},
          TypeField{"desc.bias_type", &marlin_gemm_desc::bias_type}})
        for (const int32_t value : {-1, 4, 5, 10, 11, INT32_MAX, INT32_MIN}) {
            Multiply multiply(weights.source(), 1);
            multiply.desc.*field.member = value;
            CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, multiply.run(handle, weights.get()),
                          std::string(field.name) + " is " + std::to_string(value), "expected 1 (f16)");
            auto info = with_size<marlin_gemm_info>();
            CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT,
                          marlin_gemm_query(handle, &multiply.desc, weights.get(), &info),
                          std::string(field.name) + " is " + std::to_string(value));
            CHECK(multiply.c.untouched());
        }
}

TEST_CASE("types and orders of unpacking out of range are refused by name") {
    const Handle handle;
    TestWeights weights(handle, {});
    auto desc = with_size<marlin_unpack_desc>();
    for (const int32_t value : {-1, 11, INT32_MAX, INT32_MIN}) {
        desc.dst_type = value;
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_unpack(handle, weights.get(), &desc),
                      "desc.dst_type is " + std::to_string(value));
    }
    for (const int32_t value : {0, 5, 10}) { // in range, but neither a float type nor the stored S4
        desc.dst_type = value;
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_unpack(handle, weights.get(), &desc), "dst_type is ",
                      "expected f16, bf16, f32 or s4");
    }
    desc.dst_type = MARLIN_TYPE_F16;
    for (const int32_t value : {-1, 2, INT32_MAX, INT32_MIN}) {
        desc.dst_order = value;
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_unpack(handle, weights.get(), &desc),
                      "desc.dst_order is " + std::to_string(value), "expected 0 to 1");
    }
}

TEST_CASE("options out of range are refused by name and keep their value") {
    const Handle handle;
    for (const int option : {0, 7, INT32_MAX}) {
        int64_t value = 4711;
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT,
                      marlin_handle_get_option(handle, static_cast<marlin_option>(option), &value),
                      "option is " + std::to_string(option), "expected 1 to 6");
        CHECK(value == 4711);
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT,
                      marlin_handle_set_option(handle, static_cast<marlin_option>(option), 0),
                      "option is " + std::to_string(option), "expected 1 to 6");
    }
    struct Bad {
        marlin_option option;
        const char *name;
        int64_t value;
    };
    for (const Bad &bad :
         {Bad{MARLIN_OPTION_MATH, "MARLIN_OPTION_MATH", -1}, Bad{MARLIN_OPTION_MATH, "MARLIN_OPTION_MATH", 2},
          Bad{MARLIN_OPTION_NUM_THREADS, "MARLIN_OPTION_NUM_THREADS", -1},
          Bad{MARLIN_OPTION_NUM_THREADS, "MARLIN_OPTION_NUM_THREADS", 1025},
          Bad{MARLIN_OPTION_CPU_ISA, "MARLIN_OPTION_CPU_ISA", 5},
          Bad{MARLIN_OPTION_CPU_ISA, "MARLIN_OPTION_CPU_ISA", int64_t{1} << 32},
          Bad{MARLIN_OPTION_KERNEL, "MARLIN_OPTION_KERNEL", -1},
          Bad{MARLIN_OPTION_KERNEL, "MARLIN_OPTION_KERNEL", int64_t{1} << 32},
          Bad{MARLIN_OPTION_KERNEL, "kernel", 9999}, Bad{MARLIN_OPTION_SM_COUNT, "MARLIN_OPTION_SM_COUNT", -1},
          Bad{MARLIN_OPTION_SM_COUNT, "MARLIN_OPTION_SM_COUNT", 1}, // on a CPU
          Bad{MARLIN_OPTION_DEPENDENT_LAUNCH, "MARLIN_OPTION_DEPENDENT_LAUNCH", 2},
          Bad{MARLIN_OPTION_DEPENDENT_LAUNCH, "MARLIN_OPTION_DEPENDENT_LAUNCH", 1}}) {
        int64_t before = -7;
        CHECK_SUCCESS(handle, marlin_handle_get_option(handle, bad.option, &before));
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_handle_set_option(handle, bad.option, bad.value),
                      std::string(bad.name) + " is " + std::to_string(bad.value), "expected 0");
        int64_t after = -8;
        CHECK_SUCCESS(handle, marlin_handle_get_option(handle, bad.option, &after));
        CHECK(after == before);
    }
}
