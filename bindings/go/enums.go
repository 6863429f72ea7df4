// Enumerators of marlin.h under Go names.

package marlin

// #include "native.h"
import "C"

import "fmt"

// Device is where a handle works.
type Device int32

const (
	DeviceDefault Device = C.MARLIN_DEVICE_DEFAULT // CUDA where the machine has an NVIDIA GPU, otherwise the CPU
	CUDA          Device = C.MARLIN_DEVICE_CUDA
	CPU           Device = C.MARLIN_DEVICE_CPU
)

// Type is what numbers are made of.
type Type int32

const (
	TypeNone Type = C.MARLIN_TYPE_NONE
	F16      Type = C.MARLIN_TYPE_F16
	BF16     Type = C.MARLIN_TYPE_BF16
	F32      Type = C.MARLIN_TYPE_F32
	S4       Type = C.MARLIN_TYPE_S4     // codes -8..7
	U4       Type = C.MARLIN_TYPE_U4     // codes 0..15 with a zero point or an offset
	S8       Type = C.MARLIN_TYPE_S8     // kept for later versions
	F8E4M3   Type = C.MARLIN_TYPE_F8E4M3 // kept for later versions
	S3       Type = C.MARLIN_TYPE_S3     // kept for later versions
	U3       Type = C.MARLIN_TYPE_U3     // kept for later versions
	U8       Type = C.MARLIN_TYPE_U8     // integer zero points
)

// Layout is how packed bytes are arranged. Those from 0x1000 are drafts that a later version refuses.
type Layout int32

const (
	LayoutDefault          Layout = C.MARLIN_LAYOUT_DEFAULT // the handle's device decides, and dense or 2:4
	LayoutDense            Layout = C.MARLIN_LAYOUT_DENSE
	LayoutSparse24Draft    Layout = C.MARLIN_LAYOUT_SPARSE24_DRAFT
	LayoutCPUDraft         Layout = C.MARLIN_LAYOUT_CPU_DRAFT
	LayoutCPUSparse24Draft Layout = C.MARLIN_LAYOUT_CPU_SPARSE24_DRAFT
)

// PerColumn is the group size that means one scale for each column.
const PerColumn = C.MARLIN_GROUP_PER_COLUMN

// Source is how the weights given to [Handle.Pack] are arranged; marlin.h has the table.
type Source int32

const (
	SourcePlain             Source = C.MARLIN_SOURCE_PLAIN // values or codes
	SourceGPTQv1            Source = C.MARLIN_SOURCE_GPTQ_V1
	SourceGPTQv2            Source = C.MARLIN_SOURCE_GPTQ_V2
	SourceAWQ               Source = C.MARLIN_SOURCE_AWQ
	SourceCompressedTensors Source = C.MARLIN_SOURCE_COMPRESSED_TENSORS
	SourceMarlin            Source = C.MARLIN_SOURCE_MARLIN
	SourceMarlin24          Source = C.MARLIN_SOURCE_MARLIN_24 // kept for later versions
)

// Order is which index of plain weights runs along a row.
type Order int32

const (
	KxN Order = C.MARLIN_ORDER_KXN // one row for each input feature
	NxK Order = C.MARLIN_ORDER_NXK // one row for each output feature: torch.nn.Linear, GGUF
)

// ScaleMethod is how scales are found where values are rounded.
type ScaleMethod int32

const (
	MinMax       ScaleMethod = C.MARLIN_SCALE_MIN_MAX
	LeastSquares ScaleMethod = C.MARLIN_SCALE_LEAST_SQUARES
)

// Sparsity is whether weights are stored dense or 2:4 sparse.
type Sparsity int32

const (
	Dense     Sparsity = C.MARLIN_SPARSITY_DENSE
	Already24 Sparsity = C.MARLIN_SPARSITY_ALREADY_24 // at most two of each four rows are not zero, else NotSparse
	Select24  Sparsity = C.MARLIN_SPARSITY_SELECT_24  // keep the two largest of four
)

// Option is a setting of a handle.
type Option int32

const (
	OptionMath            Option = C.MARLIN_OPTION_MATH             // MathDefault, MathBatchInvariant
	OptionSMCount         Option = C.MARLIN_OPTION_SM_COUNT         // CUDA: use at most so many SMs, 0: all
	OptionNumThreads      Option = C.MARLIN_OPTION_NUM_THREADS      // CPU: as HandleDesc.NumThreads
	OptionCPUISA          Option = C.MARLIN_OPTION_CPU_ISA          // CPU: the highest instruction set to use, ISABest...
	OptionKernel          Option = C.MARLIN_OPTION_KERNEL           // force GemmInfo.KernelNumber, 0: choose
	OptionDependentLaunch Option = C.MARLIN_OPTION_DEPENDENT_LAUNCH // CUDA, 0 or 1: prefetch weights
)

// Values of OptionMath: what the bits of a result may depend on.
const (
	MathDefault        = C.MARLIN_MATH_DEFAULT         // device, library, shape and options
	MathBatchInvariant = C.MARLIN_MATH_BATCH_INVARIANT // and not the number of rows, nor the other rows
)

// Values of OptionCPUISA.
const (
	ISABest       = C.MARLIN_CPU_ISA_BEST
	ISAReference  = C.MARLIN_CPU_ISA_REFERENCE // portable, slow and obvious: for checking
	ISAAVX2       = C.MARLIN_CPU_ISA_AVX2
	ISAAVX512     = C.MARLIN_CPU_ISA_AVX512
	ISAAVX512BF16 = C.MARLIN_CPU_ISA_AVX512_BF16
)

// String returns "default", "cuda" or "cpu".
func (d Device) String() string { return enumerator("Device", int32(d), deviceNames[:]) }

// String returns "f16", "s4" and so on.
func (t Type) String() string { return enumerator("Type", int32(t), typeNames[:]) }

// String returns "default", "dense", "cpu_draft" and so on.
func (l Layout) String() string {
	if l >= LayoutSparse24Draft {
		return enumerator("Layout", int32(l-LayoutSparse24Draft), draftNames[:])
	}
	return enumerator("Layout", int32(l), layoutNames[:])
}

// String returns "plain", "gptq_v1" and so on.
func (s Source) String() string { return enumerator("Source", int32(s), sourceNames[:]) }

var (
	deviceNames = [...]string{"default", "cuda", "cpu"}
	typeNames   = [...]string{"none", "f16", "bf16", "f32", "s4", "u4", "s8", "f8e4m3", "s3", "u3", "u8"}
	layoutNames = [...]string{"default", "dense"}
	draftNames  = [...]string{"sparse24_draft", "cpu_draft", "cpu_sparse24_draft"}
	sourceNames = [...]string{"plain", "gptq_v1", "gptq_v2", "awq", "compressed_tensors", "marlin", "marlin_24"}
)

func enumerator(kind string, value int32, names []string) string {
	if value >= 0 && int(value) < len(names) {
		return names[value]
	}
	return fmt.Sprintf("%s(%d)", kind, value)
}
