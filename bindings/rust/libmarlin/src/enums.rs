//! The enumerations of the C interface.

use crate::sys;

/// Declares an enumeration with the numbers of the C interface, open for those of other versions.
macro_rules! enumeration {
    ($(#[$about:meta])* $name:ident { $($(#[$item_about:meta])* $item:ident = $number:ident,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$item_about])* $item,)*
            /// A number that this version of the crate has no name for.
            Other(i32),
        }

        impl $name {
            /// The number that the C interface has for it.
            pub const fn number(self) -> i32 {
                match self {
                    $(Self::$item => sys::$number as i32,)*
                    Self::Other(number) => number,
                }
            }

            /// What the C interface means by a number.
            pub const fn from_number(number: i32) -> Self {
                $(if number == sys::$number as i32 {
                    return Self::$item;
                })*
                Self::Other(number)
            }
        }
    };
}

enumeration! {
    /// A kind of device.
    Device {
        /// CUDA where the machine has an NVIDIA GPU, otherwise the CPU. A GPU that cannot be used is an error.
        Default = MARLIN_DEVICE_DEFAULT,
        /// An NVIDIA GPU.
        Cuda = MARLIN_DEVICE_CUDA,
        /// The CPU.
        Cpu = MARLIN_DEVICE_CPU,
    }
}

enumeration! {
    /// An element type.
    Type {
        /// None, or whatever is the default.
        None = MARLIN_TYPE_NONE,
        /// [`half::f16`].
        F16 = MARLIN_TYPE_F16,
        /// [`half::bf16`].
        Bf16 = MARLIN_TYPE_BF16,
        /// `f32`.
        F32 = MARLIN_TYPE_F32,
        /// Codes -8..7; where they stand one a byte: `i8`.
        S4 = MARLIN_TYPE_S4,
        /// Codes 0..15 with a zero point or an offset; where they stand one a byte: `u8`.
        U4 = MARLIN_TYPE_U4,
        /// Integer zero points.
        U8 = MARLIN_TYPE_U8,
    }
}

enumeration! {
    /// How packed bytes are arranged.
    Layout {
        /// The handle's device decides, and dense or 2:4.
        Default = MARLIN_LAYOUT_DEFAULT,
        /// Dense, for NVIDIA GPUs.
        Dense = MARLIN_LAYOUT_DENSE,
        /// 2:4 sparse, for NVIDIA GPUs.
        Sparse24Draft = MARLIN_LAYOUT_SPARSE24_DRAFT,
        /// Dense, for CPUs.
        CpuDraft = MARLIN_LAYOUT_CPU_DRAFT,
        /// 2:4 sparse, for CPUs.
        CpuSparse24Draft = MARLIN_LAYOUT_CPU_SPARSE24_DRAFT,
    }
}

enumeration! {
    /// How the source of packing is arranged; groups means k / group_size, rounded up.
    Source {
        /// Values or codes in one [`Order`]: src k x n (or n x k), scales and zeros groups x n (or n x groups).
        Plain = MARLIN_SOURCE_PLAIN,
        /// AutoGPTQ: words k/8 x n, scales groups x n, zeros groups x n/8 words; stored zero + 1 is the zero point.
        GptqV1 = MARLIN_SOURCE_GPTQ_V1,
        /// The same, zero points as stored.
        GptqV2 = MARLIN_SOURCE_GPTQ_V2,
        /// AutoAWQ "gemm": words k x n/8, scales groups x n, zeros groups x n/8 words.
        Awq = MARLIN_SOURCE_AWQ,
        /// "pack-quantized": words n x k/8, scales n x groups, zeros n/8 x groups words.
        CompressedTensors = MARLIN_SOURCE_COMPRESSED_TENSORS,
        /// IST-DASLab's marlin: B (k/16 x 2n words) and s (groups x n) as its kernel reads them.
        Marlin = MARLIN_SOURCE_MARLIN,
        /// Kept for marlin-24 checkpoints: not supported in this version.
        Marlin24 = MARLIN_SOURCE_MARLIN_24,
    }
}

enumeration! {
    /// Which index of a plain matrix of weights comes first.
    Order {
        /// One row for each input feature.
        KxN = MARLIN_ORDER_KXN,
        /// One row for each output feature: `torch.nn.Linear`, GGUF.
        NxK = MARLIN_ORDER_NXK,
    }
}

enumeration! {
    /// How scales are computed where values are rounded to codes.
    ScaleMethod {
        /// From the largest and smallest value of a group.
        MinMax = MARLIN_SCALE_MIN_MAX,
        /// The one of 32 candidates with the least squared error, weighted by importance.
        LeastSquares = MARLIN_SCALE_LEAST_SQUARES,
    }
}

enumeration! {
    /// Dense or 2:4 weights.
    Sparsity {
        /// Every weight is stored.
        Dense = MARLIN_SPARSITY_DENSE,
        /// Of each four consecutive rows at most two are not zero, else it is an error.
        Already24 = MARLIN_SPARSITY_ALREADY_24,
        /// Keep the two of four with the largest magnitude times importance.
        Select24 = MARLIN_SPARSITY_SELECT_24,
    }
}

enumeration! {
    /// What the bits of a result may depend on.
    Math {
        /// Device, library, shape and options: the same bits every run.
        Default = MARLIN_MATH_DEFAULT,
        /// And a row's bits depend neither on m nor on the other rows.
        BatchInvariant = MARLIN_MATH_BATCH_INVARIANT,
    }
}

enumeration! {
    /// The highest CPU instruction set to use.
    CpuIsa {
        /// The best that the machine has.
        Best = MARLIN_CPU_ISA_BEST,
        /// Portable, slow and obvious: for checking.
        Reference = MARLIN_CPU_ISA_REFERENCE,
        /// AVX2, FMA, F16C.
        Avx2 = MARLIN_CPU_ISA_AVX2,
        /// AVX-512 F, BW, DQ, VL.
        Avx512 = MARLIN_CPU_ISA_AVX512,
        /// And AVX512_BF16.
        Avx512Bf16 = MARLIN_CPU_ISA_AVX512_BF16,
    }
}

enumeration! {
    /// How much the library reports.
    LogLevel {
        /// Nothing.
        Off = MARLIN_LOG_OFF,
        /// The text of every failed call.
        Error = MARLIN_LOG_ERROR,
        /// And what works, but slower than it could.
        Warning = MARLIN_LOG_WARNING,
        /// And one line for each multiply.
        Calls = MARLIN_LOG_CALLS,
    }
}
