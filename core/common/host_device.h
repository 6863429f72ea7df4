// One macro: functions that packers on the CPU and kernels on the GPU share.
#pragma once

#ifdef __CUDACC__
#define MARLIN_HD __host__ __device__
#else
#define MARLIN_HD
#endif
