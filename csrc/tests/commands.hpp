// The life of an engine through kpm.h, driven by bytes: valid and hostile commands, compared with a
// list of orders and with cold clearings. The checks hold for any bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kpm::test {

/// What the lives of engines consisted of.
struct Counts {
  std::int64_t commands = 0;   // after which the book was still that of the list
  std::int64_t refused = 0;    // of them, with the book unchanged
  std::int64_t events = 0;     // of them: orders added, changed and cancelled
  std::int64_t markets = 0;    // other makers, taken
  std::int64_t restored = 0;   // snapshots, taken
  std::int64_t clearings = 0;  // compared with cold ones
  std::int64_t warm = 0;       // of them, without a search

  Counts& operator+=(const Counts& other);
};

/// Runs the commands of the bytes and counts them. Throws std::runtime_error, which
/// says what did not hold. `own_memory`: an engine in memory of the caller's, with small limits;
/// the library must have an allocator of its own.
Counts run_commands(const std::uint8_t* bytes, std::size_t size, bool own_memory);

}  // namespace kpm::test
