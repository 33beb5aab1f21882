// e^x - 1 of small exponents, two at a time.
#pragma once

#include <cmath>
#include <cstdint>

#include "numerics/pair.hpp"

namespace kpm {

constexpr double kExpm1Series = 0.05;  ///< up to here the series of e^x - 1 holds to rounding
constexpr int kExpm1Doublings = 5;     ///< of x, each of which costs another unit of rounding
constexpr double kExpm1Doubled = 1.6;  ///< kExpm1Series, doubled so often

/// e^x - 1 for |x| <= kExpm1Series: eight terms.
template <class Number>
EIGEN_STRONG_INLINE Number expm1_series(const Number& x) {
  constexpr double c2 = 1.0 / 2;
  constexpr double c3 = 1.0 / 6;
  constexpr double c4 = 1.0 / 24;
  constexpr double c5 = 1.0 / 120;
  constexpr double c6 = 1.0 / 720;
  constexpr double c7 = 1.0 / 5040;
  constexpr double c8 = 1.0 / 40320;
  const Number square = x * x;
  // Two halves side by side: the processor need not wait for one to finish.
  const Number odd = c3 + square * (c5 + square * c7);
  const Number even = c2 + square * (c4 + square * (c6 + square * c8));
  return x + square * (even + x * odd);
}

/// The same for |x| <= kExpm1Doubled, two at a time where the library has them one by one.
template <class Number>
EIGEN_STRONG_INLINE Number expm1_doubled(const Number& x) {
  constexpr double kShare = 1.0 / (1 << kExpm1Doublings);
  Number value = expm1_series<Number>(x * kShare);
  for (int k = 0; k < kExpm1Doublings; ++k) {
    value = value * (value + 2.0);  // e^2x - 1 from e^x - 1, without cancellation
  }
  return value;
}

enum class Exponents : std::uint8_t { kSmall, kMedium, kAny };

inline Exponents exponents_up_to(double largest) {
  return largest <= kExpm1Series    ? Exponents::kSmall
         : largest <= kExpm1Doubled ? Exponents::kMedium
                                    : Exponents::kAny;
}

template <Exponents kSize>
EIGEN_STRONG_INLINE Pair expm1_of(const Pair& x) {
  if (kSize == Exponents::kSmall) {
    return expm1_series<Pair>(x);
  }
  if (kSize == Exponents::kMedium) {
    return expm1_doubled<Pair>(x);
  }
  return {std::expm1(x[0]), std::expm1(x[1])};
}

/// out = e^{scale (x - shift)} - 1, entry by entry, whose exponents are no larger than `largest`.
void expm1_of_all(double scale, double shift, const double* x, Eigen::Index count, double largest,
                  double* out);

}  // namespace kpm
