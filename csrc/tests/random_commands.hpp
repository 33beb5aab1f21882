// Lives of engines on random bytes: a test of any length.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "check.hpp"
#include "commands.hpp"

namespace kpm::test {

/// One life after another, until as many commands have run as the environment variable KPM_COMMANDS
/// asks for: 20,000 where it is not set. KPM_COMMANDS_SEED is the seed of the bytes. Where a number
/// was asked for, prints what there was of each kind.
inline void run_random_commands(bool own_memory) {
  const auto wanted = [](const char* variable, long otherwise) {
    const char* const given = std::getenv(variable);
    return given != nullptr ? std::strtol(given, nullptr, 10) : otherwise;
  };
  constexpr long kUsual = 20000;
  const long most = wanted("KPM_COMMANDS", kUsual);
  Random random(static_cast<std::uint64_t>(wanted("KPM_COMMANDS_SEED", 83)));
  std::vector<std::uint8_t> bytes;
  Counts all;
  while (all.commands < most) {
    bytes.resize(random.below(8) == 0 ? 40000 : 2000);  // some live until their books are large
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random.below(256));
    }
    all += run_commands(bytes.data(), bytes.size(), own_memory);
  }
  if (most >= kUsual) {
    CHECK(all.refused > 0 && all.events > 0 && all.markets > 0 && all.restored > 0);
    CHECK(all.clearings > 0 && (all.warm == 0) == own_memory);
  }
  if (std::getenv("KPM_COMMANDS") != nullptr) {
    const auto print = [](const char* what, std::int64_t count) {
      std::printf("%s %lld\n", what, static_cast<long long>(count));
    };
    print("commands", all.commands);
    print("refused", all.refused);
    print("events", all.events);
    print("markets", all.markets);
    print("restored", all.restored);
    print("clearings", all.clearings);
    print("warm", all.warm);
  }
}

}  // namespace kpm::test
