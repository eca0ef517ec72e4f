// SPDX-License-Identifier: Apache-2.0
#pragma once

// Work on several processors whose result does not depend on how many there are.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace joulecast {

// Calls work(i) for every i below `count`. Work is dealt out one by one; where a result lands does
// not depend on who did it. `threads` 0: as many as the machine has.
void in_parallel(std::size_t count, unsigned threads, const auto& work) {
  std::atomic<std::size_t> next{0};
  const auto worker = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  const unsigned wanted = threads > 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::jthread> helpers;
  for (unsigned t = 1; t < wanted && t < count; ++t) helpers.emplace_back(worker);
  worker();
}

}  // namespace joulecast
