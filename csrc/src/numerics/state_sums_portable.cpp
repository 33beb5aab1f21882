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
  Four min(double b) const { return {low.min(b), high.min(b)}; }
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

Four operator-(double a, const Four& b) { return {a - b.low, a - b.high}; }
Four operator/(const Four& a, const Four& b) { return {a.low / b.low, a.high / b.high}; }
Four operator/(double a, const Four& b) { return {a / b.low, a / b.high}; }

Four where_positive(const Four& sign, const Four& one, const Four& other) {
  return {kpm::where_positive(sign.low, one.low, other.low),
          kpm::where_positive(sign.high, one.high, other.high)};
}

/// By how much numbers differ, those of one or the other, and whether none do.
Four unequal(const Four& a, const Four& b) { return (a - b).abs(); }
Four either(const Four& a, const Four& b) { return a.max(b); }
bool nowhere(const Four& a) { return a.sum() == 0.0; }

Four powers_of_last_bits(const Four& numbers) {
  return {kpm::powers_of_last_bits(numbers.low), kpm::powers_of_last_bits(numbers.high)};
}

/// One double, for roots: four of them take as much time as two pairs, and a quarter of the code.
struct One {
  double v;

  explicit One(double value) : v(value) {}
  static One load(const double* from) { return One(*from); }
  void store(double* to) const { *to = v; }
  double sum() const { return v; }
  One abs() const { return One(std::abs(v)); }
  One sqrt() const { return One(std::sqrt(v)); }
  // Of a value that is not a number and one that is, the first.
  One max(const One& b) const { return One(v < b.v ? b.v : v); }
  One min(const One& b) const { return One(b.v < v ? b.v : v); }
};

One operator+(const One& a, const One& b) { return One(a.v + b.v); }
One operator-(const One& a, const One& b) { return One(a.v - b.v); }
One operator*(const One& a, const One& b) { return One(a.v * b.v); }
One operator+(double a, const One& b) { return One(a + b.v); }
One operator-(double a, const One& b) { return One(a - b.v); }
One operator*(double a, const One& b) { return One(a * b.v); }
One operator/(double a, const One& b) { return One(a / b.v); }
One operator+(const One& a, double b) { return One(a.v + b); }
One operator-(const One& a, double b) { return One(a.v - b); }
One operator*(const One& a, double b) { return One(a.v * b); }

One where_positive(const One& sign, const One& one, const One& other) {
  return sign.v > 0.0 ? one : other;
}

One exponent_taken_out(const One& x, One& k) { return One(kpm::exponent_taken_out(x.v, k.v)); }

}  // namespace

const StateSums portable::kStateSums = StateLoops<Four>::table(find_roots<One, 1>);

const StateSums& state_sums() {
#if defined(KPM_HAS_AVX2_FILES)
  if (avx2::supported()) {
    return avx2::kStateSums;
  }
#endif
  return portable::kStateSums;
}

}  // namespace kpm
