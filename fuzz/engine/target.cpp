// The libFuzzer target: bytes, commands to an engine through kpm.h, and a list of orders and cold
// clearings that it must agree with. Commands may ask for anything that C lets a caller ask for.
#include <cstddef>
#include <cstdint>

#include "commands.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kpm::test::run_commands(data, size, false);  // what it throws ends the process
  return 0;
}
