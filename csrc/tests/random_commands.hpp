// Lives of engines on random bytes: a test of any length.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "check.hpp"
#include "commands.hpp"

namespace kpm::test {

/// One life after another, until as many commands have run as the environment variable KPM_COMMANDS
/// asks for: 20,000 where it is not set. KPM_COMMANDS_SEED is the seed of the bytes.
inline void run_random_commands(bool own_memory) {
  const auto wanted = [](const char* variable, long otherwise) {
    const char* const given = std::getenv(variable);
    return given != nullptr ? std::strtol(given, nullptr, 10) : otherwise;
  };
  const long most = wanted("KPM_COMMANDS", 20000);
  Random random(static_cast<std::uint64_t>(wanted("KPM_COMMANDS_SEED", 83)));
  std::vector<std::uint8_t> bytes;
  for (std::int64_t commands = 0; commands < most;) {
    bytes.resize(random.below(8) == 0 ? 40000 : 2000);  // some live until their books are large
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random.below(256));
    }
    commands += run_commands(bytes.data(), bytes.size(), own_memory);
  }
}

}  // namespace kpm::test
