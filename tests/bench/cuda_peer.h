// The time of cuBLAS for a shape: the best of its ways, on unpacked weights in rotation.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cuda_blas.h"
#include "cuda_timer.h"

namespace marlin::bench {

struct BlasTiming {
    GraphTiming timing;
    std::string name; // of the best
};

class CudaPeer {
public:
    CudaPeer(const GpuDevice &device, const Stream &stream, GraphTimer &timer, std::unique_ptr<CuBlas> blas)
        : device_(device), stream_(stream), timer_(timer), blas_(std::move(blas)) {}

    // Each shape is measured once; weights are kept while n, k and type stay.
    const BlasTiming &time(const BlasShape &shape);

private:
    void make_weights(const BlasShape &shape);

    const GpuDevice &device_;
    const Stream &stream_;
    GraphTimer &timer_;
    std::unique_ptr<CuBlas> blas_;
    BlasShape made_ = {};
    std::vector<DeviceBytes> weights_;
    std::map<BlasShape, BlasTiming> measured_;
};

} // namespace marlin::bench
