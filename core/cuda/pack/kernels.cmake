# Kernels of packing. Bytes must be those of the CPU: IEEE arithmetic in the order written.
file(GLOB pack_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.cu)
add_library(marlin_pack_kernels OBJECT ${pack_sources})
# Nothing here needs sm_90a.
set_target_properties(marlin_pack_kernels PROPERTIES CUDA_ARCHITECTURES "80-real;90")
target_include_directories(marlin_pack_kernels PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(marlin_pack_kernels PRIVATE marlin_fmt CUDA::cudart_static marlin_settings)
target_compile_options(marlin_pack_kernels PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr
    -fmad=false -ftz=false -prec-div=true -prec-sqrt=true -Xcompiler=-ffp-contract=off>)
target_sources(marlin_core PRIVATE $<TARGET_OBJECTS:marlin_pack_kernels>)
