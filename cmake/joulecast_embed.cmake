# SPDX-License-Identifier: Apache-2.0
# joulecast_embed(TARGET DIRECTORY FILES...): makes the files of data/ part of the library, so that
# the binary works wherever it is copied. Their names are relative to DIRECTORY.
function(joulecast_embed target directory)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/embedded_files.cpp")
  list(TRANSFORM ARGN PREPEND "${directory}/" OUTPUT_VARIABLE inputs)
  string(JOIN "|" names ${ARGN})
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" "-DDIRECTORY=${directory}" "-DNAMES=${names}" "-DOUTPUT=${output}"
            -P "${PROJECT_SOURCE_DIR}/cmake/write_embedded_files.cmake"
    DEPENDS ${inputs} "${PROJECT_SOURCE_DIR}/cmake/write_embedded_files.cmake"
    COMMENT "Embedding data files"
    VERBATIM)
  target_sources(${target} PRIVATE "${output}")
  # The assembler reads the data where no compiler sees it.
  set_source_files_properties("${output}" PROPERTIES OBJECT_DEPENDS "${inputs}")
endfunction()

# joulecast_write_commit(TARGET): git_commit.cpp is looked at in every build, rewritten on change.
function(joulecast_write_commit target)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/git_commit.cpp")
  add_custom_target(joulecast_commit
    COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${PROJECT_SOURCE_DIR}" "-DOUTPUT=${output}"
            -P "${PROJECT_SOURCE_DIR}/cmake/write_commit.cmake"
    BYPRODUCTS "${output}"
    VERBATIM)
  add_dependencies(${target} joulecast_commit)
  target_sources(${target} PRIVATE "${output}")
endfunction()
