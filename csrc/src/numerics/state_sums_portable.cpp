// The passes of state_sums.hpp for every processor, and the choice of a version.
#include "numerics/inner_products.hpp"
#include "numerics/state_loops.hpp"
#include "numerics/state_sums.hpp"

namespace kpm {

namespace {

/// Four doubles, two in a register.
struct Four {
  Pair low, high;

  Four(const Pair& first, const Pair& second) : low(first), high(second) {}
  explicit Four(double value) : low(Pair::Constant(value)), high(low) {}
  static Four load(const double* from) {
    return {Eigen::Map<const Pair>(from), Eigen::Map<const Pair>(from + 2)};
  }
  void store(double* to) const {
    PairSlice first(to);
    PairSlice second(to + 2);
    first = low;
    second = high;
  }
  double sum() const { return (low + high).sum(); }
  Four abs() const { return {low.abs(), high.abs()}; }
  Four max(const Four& b) const { return {low.max(b.low), high.max(b.high)}; }
  Four max(double b) const { return {low.max(b), high.max(b)}; }
  Four min(const Four& b) const { return {low.min(b.low), high.min(b.high)}; }
  Four min(double b) const { return {low.min(b), high.min(b)}; }
  Four sqrt() const { return {low.sqrt(), high.sqrt()}; }
  Four& operator+=(const Four& b) {
    low += b.low;
    high += b.high;
    return *this;
  }
};

Four operator+(const Four& a, const Four& b) { return {a.low + b.low, a.high + b.high}; }
Four operator-(const Four& a, const Four& b) { return {a.low - b.low, a.high - b.high}; }
Four operator*(const Four& a, const Four& b) { return {a.low * b.low, a.high * b.high}; }
Four operator+(double a, const Four& b) { return {a + b.low, a + b.high}; }
Four operator*(double a, const Four& b) { return {a * b.low, a * b.high}; }
Four operator+(const Four& a, double b) { return {a.low + b, a.high + b}; }
Four operator-(const Four& a, double b) { return {a.low - b, a.high - b}; }
Four operator*(const Four& a, double b) { return {a.low * b, a.high * b}; }

Four operator/(double a, const Four& b) { return {a / b.low, a / b.high}; }
Four operator-(double a, const Four& b) { return {a - b.low, a - b.high}; }

Four where_positive(const Four& sign, const Four& one, const Four& other) {
  return {kpm::where_positive(sign.low, one.low, other.low),
          kpm::where_positive(sign.high, one.high, other.high)};
}

Four exponent_taken_out(const Four& x, Four& k) {
  return {kpm::exponent_taken_out(x.low, k.low), kpm::exponent_taken_out(x.high, k.high)};
}

/// By how much numbers differ, those of one or the other, and whether none do.
Four unequal(const Four& a, const Four& b) { return (a - b).abs(); }
Four either(const Four& a, const Four& b) { return a.max(b); }
bool nowhere(const Four& a) { return a.sum() == 0.0; }

Four powers_of_last_bits(const Four& numbers) {
  return {kpm::powers_of_last_bits(numbers.low), kpm::powers_of_last_bits(numbers.high)};
}

}  // namespace

const StateSums portable::kStateSums = StateLoops<Four>::table();

const StateSums& state_sums() {
#if defined(KPM_HAS_AVX2_FILES)
  if (avx2::supported()) {
    return avx2::kStateSums;
  }
#endif
  return portable::kStateSums;
}

}  // namespace kpm
