# Debian packages: libmarlin0 with the library, libmarlin-dev with all that compiling against it takes.
set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(debian_version ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
set(runtime libmarlin${PROJECT_VERSION_MAJOR})
set(generated ${PROJECT_BINARY_DIR}/debian)

set(synopsis "multiply by 4-bit and 2:4 sparse 4-bit weights")
set(devices "on the CPU; this build is without CUDA")
if(MARLIN_CUDA)
    set(devices "on the CPU and on NVIDIA GPUs")
endif()
set(description "
Multiplies FP16, BF16 or FP32 activations by weights of 4 bits, dense or 2:4
sparse, ${devices}. Packs GPTQ, AWQ and
compressed-tensors checkpoints and plain values.
.
")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${runtime})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "${synopsis}${description}This package contains the shared library.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${generated}/shlibs ${generated}/triggers)

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libmarlin-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "${synopsis} - development files${description}This package \
contains what compiling C and C++ programs against it takes.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${runtime} (= ${debian_version})")

# What packages of programs that link the library will depend on: while the version is 0.x, a new minor version may
# change the interface. The trigger lets the loader know of the library.
math(EXPR next_minor "${PROJECT_VERSION_MINOR} + 1")
set(next ${PROJECT_VERSION_MAJOR}.${next_minor})
if(PROJECT_VERSION_MAJOR GREATER 0)
    math(EXPR next "${PROJECT_VERSION_MAJOR} + 1")
endif()
file(WRITE ${generated}/shlibs
    "libmarlin ${PROJECT_VERSION_MAJOR} ${runtime} (>= ${PROJECT_VERSION}), ${runtime} (<< ${next}~)\n")
file(WRITE ${generated}/triggers "activate-noawait ldconfig\n")

# What Debian wants in /usr/share/doc of every package.
set(MARLIN_DEBIAN_CUDA "")
if(MARLIN_CUDA)
    set(MARLIN_DEBIAN_CUDA "Comment:
 The library contains NVIDIA's CUDA runtime (libcudart_static), under the
 license agreement of the CUDA Toolkit.
")
endif()
string(TIMESTAMP MARLIN_DEBIAN_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC) # heeds SOURCE_DATE_EPOCH
set(MARLIN_DEBIAN_VERSION ${debian_version})
configure_file(${CMAKE_CURRENT_LIST_DIR}/debian/copyright.in ${generated}/copyright @ONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/debian/changelog.in ${generated}/changelog.Debian @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/CHANGELOG.md ${generated}/changelog COPYONLY)
find_program(MARLIN_GZIP gzip REQUIRED)
foreach(file changelog changelog.Debian)
    execute_process(COMMAND ${MARLIN_GZIP} -9nkf ${generated}/${file} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
foreach(component runtime development)
    string(TOUPPER ${component} upper)
    install(FILES ${generated}/copyright ${generated}/changelog.gz ${generated}/changelog.Debian.gz
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME} COMPONENT ${component})
endforeach()
