# libmarlin.a: one object with everything inside, in which only the functions of marlin.h can be seen from outside.
#
# An archive of plain objects would offer all of the core's C++ symbols to whoever links it, and take the program's for
# its own where names are equal. So link_static.sh links the objects once, and makes every symbol but marlin_* local.

# What a program must link besides. The CUDA runtime is inside.
set(MARLIN_STATIC_NEEDS stdc++ m pthread dl)
if(MARLIN_CUDA)
    list(APPEND MARLIN_STATIC_NEEDS rt)
endif()

add_library(marlin_static_objects OBJECT ${sources})
target_compile_definitions(marlin_static_objects PRIVATE MARLIN_STATIC)
marlin_interface(marlin_static_objects)
target_link_libraries(marlin_static_objects PRIVATE marlin_core marlin_settings)

set(archives $<TARGET_FILE:marlin_core>)
if(MARLIN_CUDA)
    list(APPEND archives $<TARGET_FILE:CUDA::cudart_static>)
endif()
set(object ${CMAKE_CURRENT_BINARY_DIR}/static/marlin.o)
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/static)
set(link_static ${CMAKE_CURRENT_LIST_DIR}/link_static.sh)
add_custom_command(OUTPUT ${object}
    COMMAND sh ${link_static} ${CMAKE_LINKER} ${CMAKE_NM} ${CMAKE_OBJCOPY} ${object}
        $<TARGET_OBJECTS:marlin_static_objects> ${archives}
    DEPENDS ${link_static} $<TARGET_OBJECTS:marlin_static_objects> marlin_core
    COMMAND_EXPAND_LISTS VERBATIM COMMENT "Linking what is inside libmarlin.a")

add_library(marlin_static STATIC ${object})
add_library(marlin::static ALIAS marlin_static)
# Not only its files: make would look for those before their own target has built them.
add_dependencies(marlin_static marlin_static_objects)
set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
# LINKER_LANGUAGE: the C++ runtime is among MARLIN_STATIC_NEEDS, so that a program in C needs no C++ compiler.
set_target_properties(marlin_static PROPERTIES OUTPUT_NAME marlin EXPORT_NAME static LINKER_LANGUAGE C)
target_include_directories(marlin_static INTERFACE
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_definitions(marlin_static INTERFACE MARLIN_STATIC)
target_link_libraries(marlin_static INTERFACE ${MARLIN_STATIC_NEEDS})
if(NOT MARLIN_SHARED)
    add_library(marlin::marlin ALIAS marlin_static)
endif()
