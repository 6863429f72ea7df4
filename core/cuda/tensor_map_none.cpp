// Without CUDA nothing copies through tensor maps.
#include "cuda/tensor_map.h"
