#include "risk/starting_orders_maker.hpp"

#include <algorithm>
#include <cmath>

#include "kpm/kpm.hpp"
#include "numerics/entropy.hpp"

namespace kpm {

namespace {

constexpr int kIterations = 200;  // mostly six
constexpr double kExact = 2e-16;

/// ln(1 + x) - x without cancellation.
double log_excess(double x) {
  if (std::abs(x) > 0.1) {
    return std::log1p(x) - x;
  }
  // ln(1 + x) = 2 artanh(s) with s = x / (2 + x): a series in s^2, all of one sign. The rest,
  // 2 s - x, is -s x.
  constexpr double kSeries[] = {1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3};
  const double s = x / (2.0 + x);
  const double square = s * s;
  double sum = 0.0;
  for (const double term : kSeries) {
    sum = square * (sum + term);
  }
  return s * (2.0 * sum - x);
}

}  // namespace

StartingOrdersFunction::StartingOrdersFunction(const ArrayView& delta, Arena& arena)
    : MakerFunction(delta.size(), arena),
      total_(delta.sum()),
      delta_(arena.array(delta.size())),
      share_(arena.array(delta.size())),
      room_(arena.array(delta.size())) {
  delta_ = delta;
  share_ = delta / total_;
}

/// The sum falls and is convex. Newton's method on 1 / sum - 1, which is concave and nearly linear,
/// from below: it never passes the root, and is fast far away.
double StartingOrdersFunction::least_room(const ArrayView& below) const {
  double u = 0.0;
  for (Eigen::Index i = 0; i < below.size(); ++i) {
    u = std::max(u, delta_[i] - below[i]);
  }
  for (int step = 0; step < kIterations; ++step) {
    double sum = 0.0;
    double slope = 0.0;
    for (Eigen::Index i = 0; i < below.size(); ++i) {
      const double share = delta_[i] / (u + below[i]);
      sum += share;
      slope += share / (u + below[i]);
    }
    const double change = (sum - 1.0) * sum / slope;
    if (!(change > 0.0)) {
      break;
    }
    u += change;
    if (change <= kExact * u) {
      break;
    }
  }
  return u;
}

double StartingOrdersFunction::evaluate(const ArrayView& loss) {
  const double worst = loss.maxCoeff();
  room_ = worst - loss;
  const double u = least_room(room_);
  const double over = u + worst - total_;  // t less what it is without losses
  room_ += u;
  double value = over;
  for (Eigen::Index i = 0; i < g_.size(); ++i) {
    // ln(room / total), without the cancellation next to one
    const double ratio = (over - loss[i]) / total_;
    value -= delta_[i] * (std::abs(ratio) < 0.5 ? std::log1p(ratio) : std::log(room_[i] / total_));
  }
  g_ = delta_ / room_;
  g_ /= g_.sum();
  p_ = g_;
  return value;
}

void StartingOrdersFunction::prepare_curvature() {
  flow_ = g_.square() / delta_;
  centre_ = flow_ / flow_.sum();
}

double StartingOrdersFunction::conjugate(const ArrayView& g, const ArrayView& /*p*/) const {
  return total_ * relative_entropy_of(share_, g);
}

StartingOrdersMaker::StartingOrdersMaker(const ArrayView& delta)
    : Maker(delta.size()),
      delta_(delta),
      of_nothing_(delta.sum() * (1.0 - std::log(delta.sum()))),
      function_(delta, arena_),
      moved_(Array::Zero(delta.size())) {
  set_losses(moved_);
}

double StartingOrdersMaker::set_losses(const ArrayView& losses) {
  const double cost = function_.evaluate(losses);
  state_prices_ = function_.g();
  return cost + of_nothing_;
}

/// With t moved by tau, x = (tau - d) / (t - L) solves sum delta x / ((t - L)(1 + x)) = 0 and
///   C(L + d) - C(L) = g.d - sum delta (ln(1 + x) - x).
double StartingOrdersMaker::increment(const ArrayView& change, Array* prices) {
  const double low = change.minCoeff();
  const double high = change.maxCoeff();
  if (low == high) {
    if (prices != nullptr) {
      *prices = state_prices_;
    }
    return low;
  }
  // In the new units of room: y = t - L - d, sum delta / (y + tau) = sum delta / (t - L).
  const Slice& room = function_.room();
  double tau = (state_prices_ * change).sum();
  const bool near =
      ((high - change) / room).maxCoeff() < 0.5 && ((change - low) / room).maxCoeff() < 0.5;
  if (!near) {
    moved_ = room - change;
    const double least = moved_.minCoeff();
    moved_ -= least;
    const double u = function_.least_room(moved_);
    moved_ += u;
    if (prices != nullptr) {
      *prices = delta_ / moved_;
      *prices /= prices->sum();
    }
    return u - least - (delta_ * (moved_ / room).log()).sum();
  }
  // Halley's method in tau, which has the digits of the change.
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    double value = 0.0;
    double slope = 0.0;
    double curve = 0.0;  // half of it, and negative
    for (Eigen::Index i = 0; i < states(); ++i) {
      const double inverse = 1.0 / (room[i] + (tau - change[i]));
      const double share = state_prices_[i] * inverse;
      value += share * (tau - change[i]);
      const double tangent = share * room[i] * inverse;
      slope += tangent;
      curve += tangent * inverse;
    }
    const double step = value / (slope + curve * value / slope);
    tau -= step;
    if (!(std::abs(step) > 1e-6 * (high - low))) {  // the error left is of the order of its cube
      break;
    }
  }
  double sum = 0.0;
  for (Eigen::Index i = 0; i < states(); ++i) {
    sum += state_prices_[i] * change[i] - delta_[i] * log_excess((tau - change[i]) / room[i]);
  }
  if (prices != nullptr) {
    *prices = delta_ / (room + (tau - change));
    *prices /= prices->sum();
  }
  return sum;
}

double StartingOrdersMaker::conjugate(const ArrayView& g) {
  return function_.conjugate(g, g) - of_nothing_;
}

double StartingOrdersMaker::conjugate_at_vertex(Eigen::Index /*state*/) {
  return states() == 1 ? delta_[0] * std::log(delta_[0]) - delta_[0] : kInfinity;
}

}  // namespace kpm
