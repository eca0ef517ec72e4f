// SPDX-License-Identifier: Apache-2.0
#pragma once

// The kernel's clocks as seconds.

#include <joulecast/quantities.hpp>

#include <ctime>

namespace joulecast {

inline Seconds read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return Seconds{static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec)};
}

// What this thread has taken of the processor.
inline Seconds thread_processor_time() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace joulecast
