// The probe kernel, compiled for every architecture of the library.
#include "cuda/probe.h"

namespace marlin::cuda {
namespace {

__global__ void probe_kernel(uint32_t *words, uint32_t seed) {
    const uint32_t index = threadIdx.x;
    words[index] = probe_word(seed, index);
#ifdef __CUDA_ARCH__
    if (index == 0) {
        words[kProbeWords] = __CUDA_ARCH__ / 10;
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
        words[kProbeWords + 1] = 1;
#else
        words[kProbeWords + 1] = 0;
#endif
    }
#endif
}

} // namespace

cudaError_t launch_probe(uint32_t *words, uint32_t seed, cudaStream_t stream) {
    void *arguments[] = {&words, &seed};
    return cudaLaunchKernel(reinterpret_cast<const void *>(probe_kernel), dim3(1), dim3(kProbeWords), arguments, 0,
                            stream);
}

} // namespace marlin::cuda
