#include "numerics/expm1.hpp"

namespace kpm {

namespace {

template <Exponents kSize>
void expm1_by_pairs(double scale, double shift, const double* x, Eigen::Index count, double* out) {
  Eigen::Index i = 0;
  for (; i + 1 < count; i += 2) {
    PairSlice value(out + i);
    value = expm1_of<kSize>(scale * (Eigen::Map<const Pair>(x + i) - shift));
  }
  if (i < count) {
    out[i] = expm1_of<kSize>(Pair::Constant(scale * (x[i] - shift)))[0];
  }
}

}  // namespace

void expm1_of_all(double scale, double shift, const double* x, Eigen::Index count, double largest,
                  double* out) {
  switch (exponents_up_to(largest)) {
    case Exponents::kSmall:
      return expm1_by_pairs<Exponents::kSmall>(scale, shift, x, count, out);
    case Exponents::kMedium:
      return expm1_by_pairs<Exponents::kMedium>(scale, shift, x, count, out);
    case Exponents::kAny:
      break;
  }
  expm1_by_pairs<Exponents::kAny>(scale, shift, x, count, out);
}

}  // namespace kpm
