// The multiplies and their query: checks, then the backend.
#include "common/checked.h"
#include "weights.h"

namespace marlin::capi {
namespace {

Type activation_type(const char *name, int32_t value, Type otherwise) {
    const auto type = value == 0 ? otherwise : static_cast<Type>(value);
    check_not_kept(name, value);
    if (!is_float(type))
        fail(Status::InvalidArgument, "{} is {}, expected 1 (f16), 2 (bf16) or 3 (f32)", name, value);
    return type;
}

// A stride of `row` elements or more; 0 means tight.
int64_t stride_of(const char *name, int64_t value, const char *row_name, int64_t row) {
    if (value == 0)
        return row;
    if (value < row)
        fail(Status::InvalidArgument, "{} is {}, expected 0 or >= {} = {}", name, value, row_name, row);
    return value;
}

// Bytes from the first element of a matrix to behind its last.
int64_t extent(const char *name, int64_t rows, int64_t row, int64_t stride, Type type) {
    if (rows == 0)
        return 0;
    const int64_t elements = checked_add(checked_mul(rows - 1, stride, name), row, name);
    return checked_mul(elements, size_of(type), name);
}
int64_t size_of_a(const Problem &p) {
    return extent("the size of a", p.m, p.k, p.lda, p.a_type);
}
int64_t size_of_c(const Problem &p) {
    return extent("the size of c", p.m, p.n, p.ldc, p.c_type);
}

Problem problem_of(const marlin_gemm_desc &desc, const WeightsView &b) {
    check_reserved(desc.reserved, "desc.reserved");
    if (desc.a_scales != nullptr)
        fail(Status::NotSupported, "desc.a_scales is given, but this version has no 8-bit activations");
    if (desc.mask != nullptr)
        fail(Status::NotSupported, "desc.mask is given, but this version has no run-time 2:4 masks");
    if (b.column_scales != nullptr)
        fail(Status::NotSupported, "b has column_scales, but this version has no 8-bit activations to use them");
    check_range("desc.m", desc.m, 0, kMaxDimension);
    const PackedShape &shape = b.shape();
    Problem p;
    p.sparse = b.sparse();
    p.act_order = b.perm != nullptr;
    p.bias = desc.bias != nullptr;
    p.a_type = activation_type("desc.a_type", desc.a_type, Type::F16);
    p.c_type = activation_type("desc.c_type", desc.c_type, p.a_type);
    p.bias_type = activation_type("desc.bias_type", desc.bias_type, p.c_type);
    p.type = shape.type;
    p.scale_type = shape.scale_type;
    p.zero_type = shape.zero_type;
    p.group_size = shape.group_size;
    p.m = desc.m;
    p.n = b.n;
    p.k = b.k;
    p.lda = stride_of("desc.lda", desc.lda, "k", b.k);
    p.ldc = stride_of("desc.ldc", desc.ldc, "n", b.n);
    static_cast<void>(size_of_a(p)); // overflow is an error of the query as well
    static_cast<void>(size_of_c(p));
    return p;
}

void check_operand(const void *pointer, const char *name, Type type, const Backend &backend) {
    if (pointer == nullptr)
        fail(Status::InvalidArgument, "{} is NULL, expected {} values", name, to_string(type));
    check_alignment(pointer, name, static_cast<size_t>(size_of(type)));
    backend.check_memory(pointer, name);
}

void check_operands(const Problem &p, const GemmOperands &operands, const WeightsView &b, const Backend &backend) {
    check_operand(operands.a, "a", p.a_type, backend);
    check_operand(operands.c, "c", p.c_type, backend);
    const int64_t a_size = size_of_a(p);
    const int64_t c_size = size_of_c(p);
    if (overlap(operands.c, c_size, operands.a, a_size))
        fail(Status::InvalidArgument, "c overlaps a: c is {}, {} bytes, a is {}, {} bytes", operands.c, c_size,
             operands.a, a_size);
    if (overlap(operands.c, c_size, b.body - kHeaderSize, kHeaderSize + b.geometry.body_size))
        fail(Status::InvalidArgument, "c overlaps b: c is {}, {} bytes", operands.c, c_size);
    if (operands.bias == nullptr)
        return;
    check_operand(operands.bias, "desc.bias", p.bias_type, backend);
    if (overlap(operands.c, c_size, operands.bias, p.n * size_of(p.bias_type)))
        fail(Status::InvalidArgument, "c overlaps desc.bias: c is {}, {} bytes", operands.c, c_size);
}

// What ran, in words that the benchmark reads back; a warning where it was a fallback.
void log_call(const Problem &p, const WeightsView &b, const Backend &backend) {
    if (!log_wants(MARLIN_LOG_WARNING))
        return;
    const KernelPlan plan = backend.plan(p, b);
    if (plan.slow)
        log_message(MARLIN_LOG_WARNING, fmt::format("{} runs as {}: {}", to_text(p), plan.kernel, plan.why));
    if (log_wants(MARLIN_LOG_CALLS))
        log_message(MARLIN_LOG_CALLS, fmt::format("{} # {}", to_text(p), plan.kernel));
}

void multiply(marlin_handle &self, bool sparse, const marlin_gemm_desc *given, const void *a, const marlin_weights *b,
              void *c) {
    const marlin_gemm_desc desc = read_struct(given, "desc");
    const WeightsView weights = to_view(b, "b", self);
    if (weights.sparse() != sparse)
        fail(Status::InvalidArgument, "b is {}, expected {} weights: call {}",
             weights.sparse() ? "2:4 sparse" : "dense", sparse ? "2:4 sparse" : "dense",
             sparse ? "marlin_gemm" : "marlin_sp_gemm");
    const Problem problem = problem_of(desc, weights);
    if (problem.m == 0)
        return;
    GemmOperands operands;
    operands.a = a;
    operands.c = c;
    operands.bias = desc.bias;
    operands.lda = problem.lda;
    operands.ldc = problem.ldc;
    check_operands(problem, operands, weights, *self.backend);
    self.backend->gemm(problem, operands, weights);
    log_call(problem, weights, *self.backend);
}

} // namespace
} // namespace marlin::capi

using namespace marlin;
using namespace marlin::capi;

extern "C" {

marlin_status marlin_gemm_query(marlin_handle_t handle, const marlin_gemm_desc *desc, const marlin_weights *b,
                                marlin_gemm_info *info) {
    return with_handle("marlin_gemm_query", handle, [&](marlin_handle &self) {
        check_output(info, "info");
        const WeightsView weights = to_view(b, "b", self);
        const Problem problem = problem_of(read_struct(desc, "desc"), weights);
        const KernelPlan plan = self.backend->plan(problem, weights);
        marlin_gemm_info result = {};
        result.tile_m = plan.tile_m;
        result.tile_n = plan.tile_n;
        result.tile_k = plan.tile_k;
        result.stages = plan.stages;
        result.blocks = plan.blocks;
        result.workspace_size = static_cast<size_t>(plan.workspace_size);
        result.kernel_number = plan.number;
        result.slow = plan.slow ? 1 : 0;
        copy_text(result.kernel, plan.kernel);
        copy_text(result.why, plan.why);
        write_struct(info, result);
    });
}

marlin_status marlin_gemm(marlin_handle_t handle, const marlin_gemm_desc *desc, const void *a, const marlin_weights *b,
                          void *c) {
    return with_handle("marlin_gemm", handle, [&](marlin_handle &self) { multiply(self, false, desc, a, b, c); });
}

marlin_status marlin_sp_gemm(marlin_handle_t handle, const marlin_gemm_desc *desc, const void *a,
                             const marlin_weights *b, void *c) {
    return with_handle("marlin_sp_gemm", handle, [&](marlin_handle &self) { multiply(self, true, desc, a, b, c); });
}

} // extern "C"
