# CPack: a tarball of the install tree, and Debian packages where the prefix is /usr.
#
#   cmake ... && cpack                                libmarlin-VERSION-linux-x86_64.tar.gz
#   cmake ... -DCMAKE_INSTALL_PREFIX=/usr && cpack    libmarlin0_VERSION_amd64.deb, libmarlin-dev_VERSION_amd64.deb
set(MARLIN_PACKAGE_CONTACT "libmarlin maintainers <maintainers@libmarlin.example>" CACHE STRING
    "Who answers for Debian packages: NAME <ADDRESS>")

string(TOLOWER "${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}" platform)
set(CPACK_PACKAGE_NAME libmarlin)
set(CPACK_PACKAGE_CONTACT ${MARLIN_PACKAGE_CONTACT})
set(CPACK_PACKAGE_VENDOR "")
set(CPACK_PACKAGE_FILE_NAME libmarlin-${PROJECT_VERSION}-${platform})
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
set(CPACK_COMPONENTS_ALL runtime development)
# Of folders, whatever the umask of who builds.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    include(capi/cmake/debian.cmake)
else()
    set(CPACK_GENERATOR TGZ)
    foreach(file LICENSE README.md CHANGELOG.md)
        install(FILES ${PROJECT_SOURCE_DIR}/${file} DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/libmarlin
            COMPONENT development)
    endforeach()
endif()
include(CPack)
