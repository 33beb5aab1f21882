// e^x - 1, several at a time where the library has it one by one.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "numerics/pair.hpp"

namespace kpm {

constexpr double kExpm1Series = 0.2;   ///< up to here the series of e^x - 1 holds to rounding
constexpr int kExpm1Doublings = 3;     ///< of x, each of which costs another unit of rounding
constexpr double kExpm1Doubled = 1.6;  ///< kExpm1Series, doubled so often

/// e^x - 1 for |x| <= kExpm1Series: eleven terms.
template <class Number>
EIGEN_ALWAYS_INLINE Number expm1_series(const Number& x) {
  constexpr double c2 = 1.0 / 2;
  constexpr double c3 = 1.0 / 6;
  constexpr double c4 = 1.0 / 24;
  constexpr double c5 = 1.0 / 120;
  constexpr double c6 = 1.0 / 720;
  constexpr double c7 = 1.0 / 5040;
  constexpr double c8 = 1.0 / 40320;
  constexpr double c9 = 1.0 / 362880;
  constexpr double c10 = 1.0 / 3628800;
  constexpr double c11 = 1.0 / 39916800;
  const Number square = x * x;
  // Two halves side by side: the processor need not wait for one to finish.
  const Number odd = c3 + square * (c5 + square * (c7 + square * (c9 + square * c11)));
  const Number even = c2 + square * (c4 + square * (c6 + square * (c8 + square * c10)));
  return x + square * (even + x * odd);
}

/// The same for larger |x|, as from x / 2^doublings.
template <int kDoublings, class Number>
EIGEN_ALWAYS_INLINE Number expm1_doubled(const Number& x) {
  constexpr double kShare = 1.0 / (1 << kDoublings);
  Number value = expm1_series<Number>(x * kShare);
  for (int k = 0; k < kDoublings; ++k) {
    value = value * (value + 2.0);  // e^2x - 1 from e^x - 1, without cancellation
  }
  return value;
}

/// The powers of two whose exponents' fields are the last bits of numbers.
template <class Number>
EIGEN_ALWAYS_INLINE Number powers_of_last_bits(const Number& numbers) {
  constexpr int kFraction = 52;
  Number powers = numbers;
  for (Eigen::Index k = 0; k < numbers.size(); ++k) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &numbers[k], sizeof bits);
    bits <<= kFraction;
    std::memcpy(&powers[k], &bits, sizeof bits);
  }
  return powers;
}

/// The same for any x: 2^k e^r - 1 with |r| <= ln 2 / 2, which is 2^k (e^r - 1) + (2^k - 1). Not
/// finite from 709 on.
template <class Number>
EIGEN_ALWAYS_INLINE Number expm1_reduced(const Number& x) {
  constexpr double kLogTwo = 0x1.62e42fee00000p-1;  // a product with k is exact
  constexpr double kRest = 0x1.a39ef35793c76p-33;   // of ln 2
  constexpr double kPerLogTwo = 1.4426950408889634;
  // Added to a small number, it leaves the nearest integer, and the exponent of its power of two
  // in the last bits.
  constexpr double kShift = 0x1.8p52 + 1023.0;
  const Number within = x.max(-50.0).min(710.0);  // e^x - 1 is -1, or infinite
  const Number shifted = within * kPerLogTwo + kShift;
  const Number k = shifted - kShift;
  const Number rest = (within - k * kLogTwo) - k * kRest;
  const Number power = powers_of_last_bits(shifted);
  return power * expm1_doubled<1, Number>(rest) + (power - 1.0);
}

enum class Exponents : std::uint8_t { kSmall, kMedium, kAny };

template <Exponents kSize, class Number>
EIGEN_ALWAYS_INLINE Number expm1_of(const Number& x) {
  if (kSize == Exponents::kSmall) {
    return expm1_series<Number>(x);
  }
  if (kSize == Exponents::kMedium) {
    return expm1_doubled<kExpm1Doublings, Number>(x);
  }
  return expm1_reduced<Number>(x);
}

}  // namespace kpm
