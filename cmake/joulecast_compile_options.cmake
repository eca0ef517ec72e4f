# SPDX-License-Identifier: Apache-2.0
# Warnings and sanitizers of our own build. They never reach a consumer: the interface target is
# linked privately and only inside the build tree.
add_library(joulecast_compile_options INTERFACE)
target_compile_options(joulecast_compile_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Wformat=2 -Wimplicit-fallthrough
  # g++ 12 reports overlapping copies inside std::string that cannot happen (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # Results must not depend on whether the target has a fused multiply-add.
  -ffp-contract=off)
if(JOULECAST_WARNINGS_AS_ERRORS)
  target_compile_options(joulecast_compile_options INTERFACE -Werror)
endif()
if(JOULECAST_FUZZ)
  # The fuzzers are guided by what the library's code does, not only by their own.
  target_compile_options(joulecast_compile_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(JOULECAST_SANITIZE)
  target_compile_options(joulecast_compile_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(joulecast_compile_options INTERFACE -fsanitize=address,undefined)
endif()
