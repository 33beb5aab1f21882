// The caller's structs, which may be shorter or longer than this library's, as `struct_size` says.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "error.hpp"
#include "kpm/kpm.h"

namespace kpm::c {

/// Where members of a struct end: the last one of the first version of the interface, and all that
/// were added since. No caller has a shorter struct, and none that a header describes ends between.
template <class T>
constexpr std::array<std::size_t, 0> kEnds{};

/// What a struct_size that is none of these breaks.
template <class T>
constexpr const char* kSizeRule = "";

#define KPM_END(type, member) (offsetof(type, member) + sizeof(decltype(type::member)))
// Without padding at the end: a member added there later would be read from a caller's padding.
#define KPM_ENDS(type, count, ...)                                                          \
  template <>                                                                               \
  constexpr std::array<std::size_t, count> kEnds<type>{__VA_ARGS__};                        \
  template <>                                                                               \
  constexpr const char* kSizeRule<type> = "must have struct_size set to sizeof(" #type ")"; \
  static_assert(std::is_trivial_v<type> && kEnds<type>[0] % alignof(std::size_t) == 0 &&    \
                offsetof(type, struct_size) == 0)

KPM_ENDS(kpm_market, 2, KPM_END(kpm_market, ambiguity), KPM_END(kpm_market, maker));
KPM_ENDS(kpm_orders, 1, KPM_END(kpm_orders, time));
KPM_ENDS(kpm_settings, 4, KPM_END(kpm_settings, stop), KPM_END(kpm_settings, cold),
         KPM_END(kpm_settings, rule), KPM_END(kpm_settings, reserved));
KPM_ENDS(kpm_result, 2, KPM_END(kpm_result, threads), KPM_END(kpm_result, objective));
KPM_ENDS(kpm_limits, 2, KPM_END(kpm_limits, nodes), KPM_END(kpm_limits, priors));
KPM_ENDS(kpm_maker, 1, KPM_END(kpm_maker, curvature));
KPM_ENDS(kpm_trade, 1, KPM_END(kpm_trade, last_price));
// Only written: as much of it as a caller wants.
KPM_ENDS(kpm_error, 8, KPM_END(kpm_error, struct_size), KPM_END(kpm_error, code),
         KPM_END(kpm_error, reserved), KPM_END(kpm_error, field), KPM_END(kpm_error, index),
         KPM_END(kpm_error, state), KPM_END(kpm_error, value), KPM_END(kpm_error, message));

#undef KPM_ENDS
#undef KPM_END

/// As much of a struct of this size as we know, in whole members: 0 if it has none.
template <class T>
std::size_t whole(std::size_t size) {
  std::size_t most = 0;
  if (size >= sizeof(T)) {
    return sizeof(T);
  }
  for (const std::size_t end : kEnds<T>) {
    most = end <= size ? end : most;
  }
  return most;
}

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
  if (size < kEnds<T>[0] || size > kMost || (size < sizeof(T) && size != whole<T>(size))) {
    throw Refusal(name, kSizeRule<T>, static_cast<double>(size));
  }
  const auto* const bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t at = sizeof(T); at < size; ++at) {
    if (bytes[at] != 0) {
      throw Refusal(name, "asks for what only a later version of the library does",
                    Note{" (struct_size ", static_cast<double>(size), ")"});
    }
  }
  T own{};
  std::memcpy(&own, given, std::min(size, sizeof(T)));
  return own;
}

/// The members that the caller's struct has room for; its `struct_size` stays.
template <class T>
void write(const T& own, T* given) {
  constexpr std::size_t size = sizeof own.struct_size;
  const std::size_t room = whole<T>(given->struct_size);
  if (room > size) {
    std::memcpy(reinterpret_cast<unsigned char*>(given) + size,
                reinterpret_cast<const unsigned char*>(&own) + size, room - size);
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
