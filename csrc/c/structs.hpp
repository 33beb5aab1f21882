// The caller's structs, which may be shorter or longer than ours: `struct_size` is theirs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "error.hpp"
#include "kpm/kpm.h"

namespace kpm::c {

/// The size of a struct in the first version of the interface: no caller has a shorter one.
template <class T>
constexpr std::size_t kFirstSize = 0;

// Without padding at the end: a member added there later would be read from a caller's padding.
#define KPM_FIRST_SIZE(type, last)                                                         \
  template <>                                                                              \
  constexpr std::size_t kFirstSize<type> = offsetof(type, last) + sizeof(type::last);      \
  static_assert(std::is_trivial_v<type> && kFirstSize<type> % alignof(std::size_t) == 0 && \
                offsetof(type, struct_size) == 0)

KPM_FIRST_SIZE(kpm_market, ambiguity);
KPM_FIRST_SIZE(kpm_orders, time);
KPM_FIRST_SIZE(kpm_settings, stop);
KPM_FIRST_SIZE(kpm_result, threads);
KPM_FIRST_SIZE(kpm_limits, nodes);
KPM_FIRST_SIZE(kpm_maker, curvature);
KPM_FIRST_SIZE(kpm_trade, last_price);
KPM_FIRST_SIZE(kpm_error, message);

#undef KPM_FIRST_SIZE

/// A copy of the caller's struct: members it does not have are zero; members that we do not have
/// must be.
template <class T>
T read(const T* given, const char* name) {
  if (given == nullptr) {
    throw Refusal(name, "is missing");
  }
  const std::size_t size = given->struct_size;
  // A caller that is newer by more than this has not set the size at all.
  constexpr std::size_t kMost = 4096;
  if (size < kFirstSize<T> || size > kMost) {
    throw Refusal(name, "must begin with its size, struct_size", static_cast<double>(size));
  }
  const auto* const bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t at = sizeof(T); at < size; ++at) {
    if (bytes[at] != 0) {
      throw Refusal(name, "asks for what only a later version of the library does",
                    static_cast<double>(size));
    }
  }
  T own{};
  std::memcpy(&own, given, std::min(size, sizeof(T)));
  return own;
}

/// As much of our struct as the caller's has room for; its `struct_size` stays.
template <class T>
void write(const T& own, T* given) {
  const std::size_t size = given->struct_size;
  const std::size_t room = std::min(size, sizeof(T));
  if (room > sizeof size) {
    std::memcpy(reinterpret_cast<unsigned char*>(given) + sizeof size,
                reinterpret_cast<const unsigned char*>(&own) + sizeof size, room - sizeof size);
  }
}

/// An array that the caller must have.
template <class T>
T* required(T* array, const char* name) {
  if (array == nullptr) {
    throw Refusal(name, "is missing");
  }
  return array;
}

}  // namespace kpm::c
