#include "risk/ball_support.hpp"

#include <algorithm>
#include <cmath>

#include "kpm/kpm.hpp"
#include "numerics/log1p.hpp"
#include "numerics/pair.hpp"
#include "risk/two_valued.hpp"

namespace kpm {

namespace {

constexpr double kSeriesAlone = 1e-4;  // relative to the smallest scale: the next term is rounding
constexpr double kOwnDigits = 0.25;
constexpr double kFitFrom = 0.1;  // of e^-Omega: where roots are started from others
constexpr double kFitTo = 0.97;
constexpr double kChebyshev[] = {
    0.97492791218182361,  0.78183148246802981,  0.43388373911755812, 0.0,
    -0.43388373911755812, -0.78183148246802981, -0.97492791218182361};
constexpr int kIterations = 12;          // two are usual
constexpr double kLastStep = 1e-5;       // what is left of it is of a third order
constexpr double kFarthestTilt = 600.0;  // its powers are finite

/// From whichever of both probabilities is small.
double expectation(double low, double high, double of_low, double of_high) {
  if (low == 0.0) {
    return high * of_high;
  }
  const double value =
      of_high <= of_low ? low + (high - low) * of_high : high - (high - low) * of_low;
  return std::clamp(value, low, high);
}

}  // namespace

BallSupport::BallSupport(Eigen::Index states, Arena& arena)
    : prior_(Array::Zero(StateSums::padded(states))),
      centred_(Array::Zero(StateSums::padded(states))),
      powers_(Array::Zero(StateSums::padded(states))),
      measure_(Array::Constant(std::max<Eigen::Index>(states, 2), 1.0), 0.0, 0.0, arena),
      values_(Array::Zero(states)) {}

void BallSupport::set_ball(const ArrayView& prior, double radius) {
  states_ = prior.size();
  padded_ = StateSums::padded(states_);
  omega_ = radius;
  root_ = std::sqrt(2.0 * radius);
  has_start_ = false;
  certain_ = std::exp(-radius);
  prior_.head(states_) = prior;
  prior_.segment(states_, padded_ - states_).setZero();
  mass_ = prior_.head(padded_).sum();
}

BallSupport::Range BallSupport::range_of(const double* values) const {
  Pair low = Pair::Constant(kInfinity);
  Pair high = Pair::Constant(-kInfinity);
  Pair low2 = low;
  Pair high2 = high;
  Eigen::Index k = 0;
  for (; 2 * k + 3 < states_; k += 2) {
    const Pair one = Eigen::Map<const Pair>(values + 2 * k);
    const Pair two = Eigen::Map<const Pair>(values + 2 * k + 2);
    low = low.min(one);
    high = high.max(one);
    low2 = low2.min(two);
    high2 = high2.max(two);
  }
  for (; 2 * k < states_; ++k) {
    const Pair one = pair_of(values, states_, k);
    low = low.min(one);
    high = high.max(one);
  }
  return {low.min(low2).minCoeff(), high.max(high2).maxCoeff()};
}

/// The prior probabilities of zeros and of ones; false where there are other payoffs.
inline bool BallSupport::masses_of_bits(const double* values, double* of_zero,
                                        double* of_one) const {
  if (values[0] * values[0] != values[0]) {  // one jump, which is always the same
    return false;
  }
  const BitMasses bits = sums_.bits(values, prior_.data(), states_);
  *of_one = bits.of_one;
  *of_zero = mass_ - *of_one;
  if (bits.only && *of_zero < kOwnDigits * mass_) {  // the difference has not all digits
    *of_zero = mass_of_zeros(values);
  }
  return bits.only;
}

double BallSupport::mass_of_zeros(const double* values) const {
  Pair zero(0.0, 0.0);
  for (Eigen::Index i = 0; i < states_; i += 2) {
    zero += (1.0 - pair_of(values, states_, i / 2)) * two_of(prior_, i);
  }
  return zero.sum();
}

/// The prior probabilities of the outcomes; false where there are others between.
bool BallSupport::masses(const double* values, const Range& range, double* of_low,
                         double* of_high) const {
  const double width = range.high - range.low;
  if (shows_third_payoff(values, states_, range.low, range.high)) {
    return false;
  }
  Pair between(0.0, 0.0);
  Pair low(0.0, 0.0);
  Pair high(0.0, 0.0);
  for (Eigen::Index k = 0; 2 * k < states_; ++k) {
    // Exactly zero or one at the ends.
    const Pair is_high = (pair_of(values, states_, k) - range.low) / width;
    const Pair is_low = 1.0 - is_high;
    between = between.max(is_high * is_low);
    const Pair q = two_of(prior_, 2 * k);
    low += q * is_low;
    high += q * is_high;
  }
  *of_low = low.sum();
  *of_high = high.sum();
  return between.maxCoeff() == 0.0;
}

/// d with KL = Omega at the probabilities q + d and r - d, r = 1 - q; not a number where a lane has
/// none.
Pair BallSupport::roots(const Pair& q, const Pair& r) {
  const double own[4] = {q[0], q[1], q[0], q[1]};
  const double other[4] = {r[0], r[1], r[0], r[1]};
  double d[4];
  sums_.roots(root_, start(), own, other, 4, d);
  return {d[0], d[1]};
}

/// Through Chebyshev's points between a tenth of e^-Omega and nearly all of it, where the root
/// becomes one.
const RootStart& BallSupport::start() {
  if (has_start_) {
    return start_;
  }
  has_start_ = true;
  start_ = {};
  constexpr int kPoints = RootStart::kPoints;
  const double from = kFitFrom * certain_;
  const double to = kFitTo * certain_;
  Eigen::Array<double, kPoints + 1, 1> q;
  for (int k = 0; k <= kPoints; ++k) {  // the last one fills the lanes
    q[k] = 0.5 * (from + to) + 0.5 * (to - from) * kChebyshev[k % kPoints];
  }
  Eigen::Array<double, kPoints + 1, 1> r = 1.0 - q;
  Eigen::Array<double, kPoints + 1, 1> ratio;
  sums_.roots(root_, start_, q.data(), r.data(), q.size(), ratio.data());
  for (int k = 0; k <= kPoints; k += 2) {
    const Pair own = PairSlice(q.data() + k);
    PairSlice found(ratio.data() + k);
    found /= DivergenceRoot<Pair>(root_, start_, own, 1.0 - own).d();
  }
  if (!(ratio.abs().maxCoeff() < kInfinity)) {
    return start_;  // the bound alone
  }
  for (int order = 1; order < kPoints; ++order) {
    for (int k = kPoints - 1; k >= order; --k) {
      ratio[k] = (ratio[k] - ratio[k - 1]) / (q[k] - q[k - order]);
    }
  }
  std::copy_n(q.data(), kPoints, start_.at);
  std::copy_n(ratio.data(), kPoints, start_.of);
  start_.from = from;
  start_.to = to;
  return start_;
}

/// Whether the ball is so small that its series leaves rounding.
bool BallSupport::is_series(const Pair& q) const {
  return root_ * root_ <= kSeriesAlone * kSeriesAlone * (q[0] * q[1]);
}

/// The greatest probability x of outcomes that have q, and y of the others, which have r, in both
/// lanes.
void BallSupport::extremes(const Pair& q, const Pair& r, Pair& x, Pair& y) {
  const bool certain[2] = {q[0] >= certain_, q[1] >= certain_};
  const double s = root_;
  Pair d(0.0, 0.0);
  if (is_series(q)) {
    const Pair deviation = (q * r).sqrt();
    d = s * deviation + s * s / 6.0 * (r - q) -
        s * s * s * (1.0 + 2.0 * deviation * deviation) / (72.0 * deviation);
  } else if (certain[0] == certain[1]) {
    d = certain[0] ? d : roots(q, r);
  } else {
    const int lane = certain[0] ? 1 : 0;
    d = roots(Pair::Constant(q[lane]), Pair::Constant(r[lane]));
  }
  x = q + d;
  y = r - d;
  make_certain(q, x, y);
  for (int lane = 0; lane < 2; ++lane) {
    if (std::isnan(x[lane])) {
      measure_.set_ball(Pair(r[lane], q[lane]), omega_);
      measure_.evaluate(Pair(0.0, 1.0));
      const double mass = measure_.worst_case().sum();
      x[lane] = measure_.worst_case()[1] / mass;
      y[lane] = measure_.worst_case()[0] / mass;
    }
  }
}

/// Outcomes that are as likely as e^-Omega or more may be certain.
inline void BallSupport::make_certain(const Pair& q, Pair& x, Pair& y) const {
  for (int lane = 0; lane < 2; ++lane) {
    x[lane] = q[lane] >= certain_ ? 1.0 : x[lane];
    y[lane] = q[lane] >= certain_ ? 0.0 : y[lane];
  }
}

inline bool BallSupport::two_masses(const double* values, TwoOutcomes& outcomes, Pair& q) const {
  Range range{0.0, 1.0};
  double of_low = 0.0;
  double of_high = 0.0;
  if (!masses_of_bits(values, &of_low, &of_high)) {
    range = range_of(values);
    if (range.low == range.high || !masses(values, range, &of_low, &of_high)) {
      outcomes.low = range.low;
      outcomes.high = range.high;
      return false;
    }
  } else if (of_high == 0.0 || of_low == 0.0) {
    outcomes.low = outcomes.high = of_high == 0.0 ? 0.0 : 1.0;
    return false;
  }
  outcomes.low = range.low;
  outcomes.high = range.high;
  const double total = of_low + of_high;
  q = Pair(of_high, of_low) / total;
  return true;
}

bool BallSupport::two_outcomes(const double* values, TwoOutcomes& outcomes) {
  Pair q;
  if (!two_masses(values, outcomes, q)) {
    return false;
  }
  Pair x;
  Pair y;
  extremes(q, Pair(q[1], q[0]), x, y);
  outcomes.most_of_high = x[0];
  outcomes.rest_of_low = y[0];
  outcomes.most_of_low = x[1];
  outcomes.rest_of_high = y[1];
  return true;
}

/// The bounds of a claim of more than two outcomes.
void BallSupport::bounds_of_many(const double* values, const TwoOutcomes& of, double* least,
                                 double* greatest) {
  if (of.low == of.high) {
    *least = *greatest = of.low;
    return;
  }
  const Range range{of.low, of.high};
  centre(values, range);
  const Pair above = tilted(Pair(-1.0, 1.0));
  *least = -of_side(values, range, -1.0, above[0]);
  *greatest = of_side(values, range, 1.0, above[1]);
}

void BallSupport::bounds(const double* values, Eigen::Index rows, double* least, double* greatest) {
  constexpr Eigen::Index kTogether = 32;  // claims
  struct Waiting {
    Eigen::Index row;
    double low, high;
    Pair q;
  };
  Waiting waiting[kTogether];
  double q[2 * kTogether];
  double r[2 * kTogether];
  double d[2 * kTogether];
  Eigen::Index count = 0;
  const auto write = [&](const Waiting& claim, const Pair& x, const Pair& y) {
    least[claim.row] = expectation(claim.low, claim.high, x[1], y[1]);
    greatest[claim.row] = expectation(claim.low, claim.high, y[0], x[0]);
  };
  const auto solve = [&] {
    const Eigen::Index padded = StateSums::padded(2 * count);
    std::fill(q + 2 * count, q + padded, 0.5);
    std::fill(r + 2 * count, r + padded, 0.5);
    sums_.roots(root_, start(), q, r, padded, d);
    for (Eigen::Index k = 0; k < count; ++k) {
      const Waiting& claim = waiting[k];
      const Pair other(claim.q[1], claim.q[0]);
      Pair x = claim.q + PairSlice(d + 2 * k);
      Pair y = other - PairSlice(d + 2 * k);
      make_certain(claim.q, x, y);
      if (std::isnan(x.sum())) {
        extremes(claim.q, other, x, y);
      }
      write(claim, x, y);
    }
    count = 0;
  };
  for (Eigen::Index row = 0;; ++row) {
    if (count == kTogether || (row == rows && count > 0)) {
      solve();
    }
    if (row == rows) {
      return;
    }
    const double* const values_of = values + row * states_;
    Waiting& claim = waiting[count];
    claim = {row, 0.0, 1.0, Pair::Zero()};
    double of_zero = 0.0;
    double of_one = 0.0;
    if (masses_of_bits(values_of, &of_zero, &of_one) && of_zero > 0.0 && of_one > 0.0) {
      claim.q = Pair(of_one, of_zero) / (of_zero + of_one);
    } else {
      TwoOutcomes of;
      if (!two_masses(values_of, of, claim.q)) {
        bounds_of_many(values_of, of, least + row, greatest + row);
        continue;
      }
      claim.low = of.low;
      claim.high = of.high;
    }
    const bool certain[2] = {claim.q[0] >= certain_, claim.q[1] >= certain_};
    if ((certain[0] && certain[1]) || is_series(claim.q)) {
      Pair x;
      Pair y;
      extremes(claim.q, Pair(claim.q[1], claim.q[0]), x, y);
      write(claim, x, y);
      continue;
    }
    // The side that is certain has the other's root to wait for.
    q[2 * count] = r[2 * count + 1] = claim.q[certain[0] ? 1 : 0];
    q[2 * count + 1] = r[2 * count] = claim.q[certain[1] ? 0 : 1];
    if (certain[0] || certain[1]) {
      r[2 * count] = r[2 * count + 1] = claim.q[certain[0] ? 0 : 1];
    }
    ++count;
  }
}

double BallSupport::greatest(const double* values) {
  TwoOutcomes of;
  if (two_outcomes(values, of)) {
    return expectation(of.low, of.high, of.rest_of_low, of.most_of_high);
  }
  if (of.low == of.high) {
    return of.low;
  }
  return greatest_of_many(values, of.low, of.high);
}

double BallSupport::greatest_of_many(const double* values, double low, double high) {
  const Range range{low, high};
  centre(values, range);
  return of_side(values, range, 1.0, tilted(Pair(1.0, 1.0))[0]);
}

/// The deviations from the mean in units of the largest, and their moments.
void BallSupport::centre(const double* values, const Range& range) {
  mean_ = dot(prior_.data(), values, states_) / mass_;
  farthest_ = std::max(range.high - mean_, mean_ - range.low);
  const double inverse = 1.0 / farthest_;
  centred_.head(states_) = (Eigen::Map<const Array>(values, states_) - mean_) * inverse;
  centred_.segment(states_, padded_ - states_).setZero();
  sum_.start(prior_.data(), centred_.data(), padded_, powers_.data());
  const double variance = sum_.moment(2);
  deviation_ = std::sqrt(variance);
  skewness_ = sum_.moment(3) / (variance * deviation_);
  kurtosis_ = sum_.moment(4) / (variance * variance) - 3.0;
  const double tilt = root_ / deviation_;  // to first order
  if (tilt > 0.5 * ExponentialSum::kHalfReach && tilt < 2.0 * ExponentialSum::kReach) {
    sum_.finish(centred_.data(), padded_, powers_.data());
  }
}

/// The greatest expectations of sign * centred_, a side a lane, each as if alone; not a number
/// where the tilts are too far. For any t (Omega + K(t)) / t is above it, by half the curvature
/// v / t times the square of the error.
Pair BallSupport::tilted(Pair sign) const {
  const double s = root_;
  const Pair skew = sign * skewness_;
  if (s <= kSeriesAlone * deviation_) {
    return deviation_ * (s + s * s * (skew / 6.0 + s * (kurtosis_ / 24.0 - skew * skew / 18.0)));
  }
  const Pair bend = 2.0 / 3.0 * skew;
  Pair t = s - 0.5 * bend * s * s + (0.625 * bend * bend - 0.125 * kurtosis_) * s * s * s;
  for (double& start : t) {
    start = (start > 0.25 * s && start < 4.0 * s ? start : s) / deviation_;
  }
  Pair above = Pair::Constant(std::nan(""));
  bool open[2] = {true, sign[1] != sign[0]};
  for (int iteration = 0; iteration < kIterations && (open[0] || open[1]); ++iteration) {
    const Pair tilt = sign * t;
    ExponentialSum::Excess of = sum_.at(tilt);
    for (int lane = 0; lane < 2; ++lane) {
      if (open[lane] && t[lane] > sum_.reach()) {
        const ExponentialMoments exact =
            sums_.exponential(tilt[lane], prior_.data(), centred_.data(), padded_);
        of.value[lane] = exact.excess;
        of.first[lane] = exact.first - sum_.moment(1);
        of.second[lane] = exact.second;
      }
    }
    const Pair log_mass = log1p_of(of.value);
    const Pair inverse = 1.0 / (1.0 + of.value);
    const Pair mean = sign * (of.first + sum_.moment(1)) * inverse;
    const Pair variance = of.second * inverse - mean * mean;
    const Pair divergence = t * mean - log_mass;
    const Pair off = divergence - omega_;
    const Pair h = (2.0 * divergence).sqrt();
    const Pair curved = t * t * variance;
    const Pair step = 2.0 * off / (h + s) * h / curved;
    const Pair value = (omega_ + log_mass - 0.5 * off * off / curved) / t;
    for (int lane = 0; lane < 2; ++lane) {
      if (!open[lane]) {
        continue;
      }
      const bool found = std::abs(step[lane]) <= kLastStep;
      above[lane] = found ? value[lane] : above[lane];
      t[lane] *= std::clamp(1.0 - step[lane], 0.25, 4.0);
      // A variance that is all rounding, or exponentials beyond all doubles, are for others.
      open[lane] =
          !found && variance[lane] > 0.0 && divergence[lane] > 0.0 && t[lane] < kFarthestTilt;
    }
  }
  if (sign[1] == sign[0]) {
    above[1] = above[0];
  }
  return above;
}

/// The greatest expectation of sign * values, of which tilted() found `above` the mean.
double BallSupport::of_side(const double* values, const Range& range, double sign, double above) {
  const double top = sign > 0.0 ? range.high : range.low;
  const double farthest = (top - mean_) / farthest_;
  if (deviation_ * deviation_ > 0.9 * certain_ * farthest * farthest) {  // as certainty implies
    double of_top = 0.0;
    for (Eigen::Index i = 0; i < states_; ++i) {
      of_top += values[i] == top ? prior_[i] : 0.0;
    }
    if (of_top >= certain_) {
      return sign * top;
    }
  }
  if (above >= 0.0) {
    return std::min(sign * mean_ + farthest_ * above, sign * top);
  }
  for (Eigen::Index i = 0; i < states_; ++i) {
    values_[i] = sign * values[i];
  }
  measure_.set_ball(prior_.head(states_), omega_);
  return measure_.evaluate(values_.head(states_));
}

}  // namespace kpm
