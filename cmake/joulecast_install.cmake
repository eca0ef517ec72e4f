# SPDX-License-Identifier: Apache-2.0
# cmake --install gives the binary, the library, the headers and find_package(joulecast).
include(CMakePackageConfigHelpers)
install(TARGETS joulecast EXPORT joulecast-targets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/joulecast" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT joulecast-targets NAMESPACE joulecast::
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/joulecast")
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/joulecast-config.cmake"
     "include(CMakeFindDependencyMacro)\nfind_dependency(Threads)\n"
     "include(\"\${CMAKE_CURRENT_LIST_DIR}/joulecast-targets.cmake\")\n")
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/joulecast-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/joulecast-config.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/joulecast-config-version.cmake"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/joulecast")
