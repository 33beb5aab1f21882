// Numbers as bytes in a format that is the same on every machine, and hashes of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/order_index.hpp"

namespace kpm {

inline std::uint64_t bits_of(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline double double_of(std::uint64_t bits) {
  double value = 0.0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Least significant byte first.
inline void put(std::uint8_t*& to, std::uint64_t value) {
  for (int byte = 0; byte < 8; ++byte) {
    *to++ = static_cast<std::uint8_t>(value >> (8 * byte));
  }
}

inline std::uint64_t take(const std::uint8_t*& from) {
  std::uint64_t value = 0;
  for (int byte = 0; byte < 8; ++byte) {
    value |= static_cast<std::uint64_t>(*from++) << (8 * byte);
  }
  return value;
}

/// Hash of a sequence of words; not cryptographic: collisions can be constructed.
class Hash {
 public:
  void add(std::uint64_t word) { state_ = mixed(state_ ^ word) + 0x9e3779b97f4a7c15U * ++count_; }
  void add(double value) { add(bits_of(value + 0.0)); }  // -0.0 is 0.0
  std::uint64_t value() const { return mixed(state_); }

 private:
  std::uint64_t state_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace kpm
