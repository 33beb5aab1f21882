#include "numerics/exponential_sum.hpp"

namespace kpm {

namespace {

struct InverseFactorials {
  double of[ExponentialSum::kDegree + 1] = {};
  constexpr InverseFactorials() {
    double factorial = 1.0;
    for (int k = 0; k <= ExponentialSum::kDegree; ++k) {
      factorial *= k > 1 ? k : 1;
      of[k] = 1.0 / factorial;
    }
  }
};

constexpr InverseFactorials kInverseFactorials;

}  // namespace

void ExponentialSum::add_powers(int first, const double* weights, const double* x,
                                Eigen::Index count, double* raised) {
  state_sums().powers(weights, x, count, raised, moments_ + first);
  for (int k = first; k < first + kHalf; ++k) {
    coefficients_[k] = moments_[k] * kInverseFactorials.of[k];
  }
}

void ExponentialSum::start(const double* weights, const double* x, Eigen::Index count,
                           double* raised) {
  add_powers(1, weights, x, count, raised);
  degree_ = kHalf;
  reach_ = kHalfReach;
}

void ExponentialSum::finish(const double* x, Eigen::Index count, double* raised) {
  add_powers(kHalf + 1, raised, x, count, raised);
  degree_ = kDegree;
  reach_ = kReach;
}

void ExponentialSum::fill_terms(double weight, double x, double* row) {
  double power = weight;
  for (int k = 0; k <= kDegree; ++k, power *= x) {
    row[k] = power * kInverseFactorials.of[k];
  }
  row[kDegree + 1] = 0.0;
}

void ExponentialSum::add_up(const double* rows, const Eigen::Index* which, Eigen::Index count) {
  using Row = Eigen::Array<double, kTerms, 1>;
  Row sum = Row::Zero();
  for (Eigen::Index k = 0; k < count; ++k) {
    sum += Eigen::Map<const Row>(rows + which[k] * kTerms);
  }
  Eigen::Map<Row>(coefficients_, kTerms) = sum;
  for (int k = 0; k <= kDegree; ++k) {
    moments_[k] = coefficients_[k] / kInverseFactorials.of[k];
  }
  degree_ = kDegree;
  reach_ = kReach;
}

ExponentialSum::Excess ExponentialSum::at(const Pair& t) const {
  // Horner's scheme for r = sum c_k t^{k-2} with r' and r'' / 2; f - f(0) = t (c_1 + t r).
  Pair r = Pair::Constant(0.0);
  Pair slope = r;
  Pair bend = r;
  for (int k = degree_; k >= 2; --k) {
    bend = bend * t + slope;
    slope = slope * t + r;
    r = r * t + coefficients_[k];
  }
  return {t * (coefficients_[1] + t * r), t * (2.0 * r + t * slope),
          2.0 * (r + t * (2.0 * slope + t * bend))};
}

}  // namespace kpm
