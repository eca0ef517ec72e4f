# SPDX-License-Identifier: Apache-2.0
# Installs into a fresh prefix, builds a consumer against it, runs the consumer and the binary.
set(work "${BUILD}/install_test")
file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${status}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${work}/prefix")
run("${CMAKE_COMMAND}" -S "${SOURCE}" -B "${work}/build" -G Ninja "-DCMAKE_CXX_COMPILER=${CXX}"
    "-DCMAKE_PREFIX_PATH=${work}/prefix")
run("${CMAKE_COMMAND}" --build "${work}/build")
run("${work}/build/consumer")
if(NOT output MATCHES "^model A takes [0-9.e-]+ s and [0-9.]+ J per step\n$")
  message(FATAL_ERROR "unexpected: ${output}")
endif()
run("${work}/prefix/bin/joulecast" --version)
foreach(file share/man/man1/joulecast.1 share/bash-completion/completions/joulecast
        share/zsh/site-functions/_joulecast share/fish/vendor_completions.d/joulecast.fish)
  file(SIZE "${work}/prefix/${file}" size)
  if(size LESS 500)
    message(FATAL_ERROR "${file} is nearly empty")
  endif()
endforeach()
run(bash -n "${work}/prefix/share/bash-completion/completions/joulecast")
