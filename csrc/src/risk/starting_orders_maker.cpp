#include "risk/starting_orders_maker.hpp"

#include <cmath>
#include <limits>

#include "kpm/kpm.hpp"

namespace kpm {

namespace {

constexpr int kIterations = 200;

/// ln(1 + x) - x without cancellation.
double log_excess(double x) {
  if (std::abs(x) > 0.1) {
    return std::log1p(x) - x;
  }
  // ln(1 + x) = 2 artanh(s) with s = x / (2 + x): a series in s^2, all of one sign.
  const double s = x / (2.0 + x);
  const double square = s * s;
  double sum = 0.0;
  for (int k = 15; k >= 3; k -= 2) {
    sum = square * (sum + 1.0 / k);
  }
  return 2.0 * s * sum - 0.5 * x * x / (1.0 + 0.5 * x);
}

}  // namespace

StartingOrdersMaker::StartingOrdersMaker(const ArrayView& delta)
    : Maker(delta.size()),
      delta_(delta),
      total_(delta.sum()),
      room_(Array::Zero(delta.size())),
      moved_(Array::Zero(delta.size())) {
  set_losses(moved_);
}

/// t with sum delta / (t - losses) = 1, by Newton's method on 1 / sum = 1: a concave function, so
/// that every step stays left of the root. It starts at the largest of its lower bounds L + delta.
double StartingOrdersMaker::solve_t(const ArrayView& losses) const {
  double t = (losses + delta_).maxCoeff();
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const double sum = (delta_ / (t - losses)).sum();
    const double slope = (delta_ / (t - losses).square()).sum();
    const double step = sum * (sum - 1.0) / slope;
    const double next = t + step;
    if (!(next > t) ||
        !(step > std::numeric_limits<double>::epsilon() * std::abs(t - losses.minCoeff()))) {
      return std::max(next, t);
    }
    t = next;
  }
  return t;
}

double StartingOrdersMaker::set_losses(const ArrayView& losses) {
  const double top = losses.maxCoeff();
  moved_ = losses - top;
  const double t = solve_t(moved_);
  room_ = t - moved_;
  state_prices_ = delta_ / room_;
  state_prices_ /= state_prices_.sum();
  return top + t - (delta_ * room_.log()).sum();
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
  double tau = (state_prices_ * change).sum();
  const bool near =
      ((high - change) / room_).maxCoeff() < 0.5 && ((change - low) / room_).maxCoeff() < 0.5;
  if (!near) {
    moved_ = change - room_;
    const double top = moved_.maxCoeff();
    moved_ -= top;
    const double t = solve_t(moved_);
    if (prices != nullptr) {
      *prices = delta_ / (t - moved_);
      *prices /= prices->sum();
    }
    return top + t - (delta_ * ((t - moved_) / room_).log()).sum();
  }
  // Newton in tau, which has the digits of the change.
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    double value = 0.0;
    double slope = 0.0;
    for (Eigen::Index i = 0; i < states(); ++i) {
      const double moved = room_[i] + (tau - change[i]);
      value += state_prices_[i] * (tau - change[i]) / moved;
      slope += state_prices_[i] * room_[i] / (moved * moved);
    }
    const double step = value / slope;
    tau -= step;
    if (!(std::abs(step) > 1e-9 * (high - low))) {  // the error left is of the order of its square
      break;
    }
  }
  double sum = 0.0;
  for (Eigen::Index i = 0; i < states(); ++i) {
    sum += state_prices_[i] * change[i] - delta_[i] * log_excess((tau - change[i]) / room_[i]);
  }
  if (prices != nullptr) {
    *prices = delta_ / (room_ + (tau - change));
    *prices /= prices->sum();
  }
  return sum;
}

double StartingOrdersMaker::conjugate(const ArrayView& g) {
  double sum = -total_;
  for (Eigen::Index i = 0; i < states(); ++i) {
    sum -= delta_[i] * std::log(g[i] / delta_[i]);
  }
  return sum;
}

double StartingOrdersMaker::conjugate_at_vertex(Eigen::Index /*state*/) {
  return states() == 1 ? delta_[0] * std::log(delta_[0]) - delta_[0] : kInfinity;
}

}  // namespace kpm
