// The life of an engine through kpm.h, driven by bytes: valid and hostile commands, compared with a
// list of orders and with cold clearings. The checks hold for any bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kpm::test {

/// Runs the commands of the bytes and returns how many there were. Throws std::runtime_error, which
/// says what did not hold. `own_memory`: an engine in memory of the caller's, with small limits;
/// the library must have an allocator of its own.
std::int64_t run_commands(const std::uint8_t* bytes, std::size_t size, bool own_memory);

}  // namespace kpm::test
