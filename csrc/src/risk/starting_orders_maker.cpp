#include "risk/starting_orders_maker.hpp"

#include <algorithm>
#include <cmath>

#include "kpm/kpm.hpp"
#include "numerics/entropy.hpp"
#include "risk/idle_room.hpp"

namespace kpm {

namespace {

constexpr int kIterations = 200;  // mostly six
constexpr double kExact = 2e-16;

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

Array StartingOrdersFunction::idle_room(const PricedLosses& priced,
                                        const std::vector<int>& idle) const {
  return bounded_room(priced.loss, idle, [&](int i) {
    return logarithmic_room(delta_[i] / priced.g[i], priced.g[i], 1.0);
  });
}

StartingOrdersMaker::StartingOrdersMaker(const ArrayView& delta)
    : Maker(delta.size()),
      delta_(delta),
      of_nothing_(delta.sum() * (1.0 - std::log(delta.sum()))),
      function_(delta, arena_),
      moved_(Array::Zero(delta.size())),
      blocks_(delta, false) {
  set_losses(moved_);
}

double StartingOrdersMaker::set_losses(const ArrayView& losses) {
  has_base_ = false;
  const double cost = function_.evaluate(losses);
  state_prices_ = function_.g();
  return cost + of_nothing_;
}

LogarithmicChange& StartingOrdersMaker::blocks() {
  if (!has_base_) {
    blocks_.set_left(function_.room());
    has_base_ = true;
  }
  return blocks_;
}

/// With t moved by tau, the least of tau - sum delta ln(1 + (tau - d) / (t - L)).
double StartingOrdersMaker::increment(const ArrayView& change, Array* prices) {
  if (change.minCoeff() == change.maxCoeff()) {
    if (prices != nullptr) {
      *prices = state_prices_;
    }
    return change[0];
  }
  const Slice& room = function_.room();
  double rise = 0.0;
  double tau = 0.0;
  LogarithmicChange& near = blocks();
  near.set_claim(change.data());
  if (near.cost(1.0, rise, tau)) {
    if (prices != nullptr) {
      *prices = delta_ / (room + (tau - change));
      *prices /= prices->sum();
    }
    return rise;
  }
  // In the new units of room: y = t - L - d, sum delta / (y + tau) = sum delta / (t - L).
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

double StartingOrdersMaker::conjugate(const ArrayView& g) {
  return function_.conjugate(g, g) - of_nothing_;
}

double StartingOrdersMaker::conjugate_at_vertex(Eigen::Index /*state*/) {
  return states() == 1 ? delta_[0] * std::log(delta_[0]) - delta_[0] : kInfinity;
}

}  // namespace kpm
