#include "ipm/strike_system.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

// A solution is corrected where it leaves more than this of a right-hand side, so often at most.
constexpr double kRounding = 1e-13;
constexpr int kCorrections = 2;
constexpr double kLeast = 1e-300;  // right-hand side: a share of nothing is none

template <class Lines>
double inner(const Lines& a, const Lines& b) {
  return a[0] * b[0] + a[1] * b[1] + (a[2] * b[2] + a[3] * b[3]);
}

template <class Lines>
void add(double times, const Lines& what, Lines& to) {
  for (std::size_t n = 0; n < what.size(); ++n) {
    to[n] += times * what[n];
  }
}

/// to := rows' what.
template <class Rows, class Lines>
void multiply(const Rows& rows, const Lines& what, Lines& to) {
  to = {};
  for (std::size_t n = 0; n < what.size(); ++n) {
    add(what[n], rows[n], to);
  }
}

/// (F rows)' with F the crossing's forward().
template <class Crossing, class Rows>
Rows carried(const Crossing& crossing, const Rows& rows) {
  Rows result;
  for (std::size_t n = 0; n < rows.size(); ++n) {
    result[n] = crossing.forward({rows[0][n], rows[1][n], rows[2][n], rows[3][n]});
  }
  return result;
}

/// Not std::hypot: C libraries differ in its last digit, and no weight is so small or large.
double length(double a, double b) { return std::sqrt(a * a + b * b); }

}  // namespace

/// Of a state at the root's end, `way` from the one before, which may be negative.
StrikeSystem::Rotations::Rotations(Root& root, double weight, double way) {
  const double mixed = root.mixed + root.value * way;
  const double value = length(weight, root.value);
  cos1 = value > 0.0 ? root.value / value : 1.0;
  sin1 = value > 0.0 ? weight / value : 0.0;
  const double over = -sin1 * mixed;
  const double slope = length(root.slope, over);
  cos2 = slope > 0.0 ? root.slope / slope : 1.0;
  sin2 = slope > 0.0 ? over / slope : 0.0;
  root = {value, cos1 * mixed, slope};
}

StrikeSystem::Lines StrikeSystem::Crossing::forward(const Lines& old) const {
  const double state = out.sin1 * old[0] + out.cos1 * out.sin2 * old[1];
  return {out.cos1 * old[0] - out.sin1 * out.sin2 * old[1], out.cos2 * old[1],
          in.cos1 * old[2] + in.sin1 * state,
          in.cos2 * old[3] + in.sin2 * (in.cos1 * state - in.sin1 * old[2])};
}

StrikeSystem::Lines StrikeSystem::Crossing::backward(const Lines& next) const {
  const double state = in.sin1 * next[2] + in.sin2 * in.cos1 * next[3];
  return {out.cos1 * next[0] + out.sin1 * state,
          out.cos2 * next[1] + out.sin2 * (out.cos1 * state - out.sin1 * next[0]),
          in.cos1 * next[2] - in.sin2 * in.sin1 * next[3], in.cos2 * next[3]};
}

StrikeSystem::Lines StrikeSystem::Crossing::apart() const {
  const double state = out.cos1 * out.cos2;
  return {-out.sin1 * out.cos2, -out.sin2, in.sin1 * state, in.sin2 * in.cos1 * state};
}

StrikeSystem::StrikeSystem(const ScaledMarket& market, const RiskBlock& risk, Arena& arena)
    : claims_(market.strikes),
      prices_{arena.span<Crossing>(market.states())},
      values_{arena.span<Crossing>(market.states())},
      pivots_(arena.span<Pivot>(market.claims() + 1)),
      diagonal_(arena.array(market.claims())),
      scale_(arena.array(market.claims())),
      slope_(arena.array(market.claims())),
      alone_(arena.array(market.claims())),
      scaled_(arena.array(market.claims())),
      right_x_(arena.array(market.claims())),
      right_e_(arena.array(market.claims())),
      rest_x_(arena.array(market.claims())),
      rest_e_(arena.array(market.claims())),
      weight_(arena.array(market.states())),
      by_state_(arena.array(market.states())),
      border_(risk, market.claims(), market.states(), arena),
      own_(arena.grid<double>(RiskBorder::kVariables, market.states())),
      own_of_(arena.grid<double>(RiskBorder::kVariables, pivots_.size())) {}

void StrikeSystem::factor(const Slice& weight, const Slice& alone, const Slice& slope,
                          const Slice& scale) {
  weight_ = weight;
  alone_ = alone;
  slope_ = slope;
  scale_ = scale;
  load_states(weight);
  Rest rest{};
  for (std::size_t n = 0; n < kLines; ++n) {
    rest.price[n][n] = rest.value[n][n] = 1.0;
  }
  Root price, value;
  auto at = claims_.order().begin();
  for (Eigen::Index place = 0; place <= claims_.states(); ++place) {
    for (; at != claims_.order().end() && claims_.claim(*at).strike == place; ++at) {
      const int k = *at;
      Pivot& pivot = pivots_[k];
      pivot.price = lines(claims_.claim(k), prices_, price);
      pivot.value = lines(claims_.claim(k), values_, value);
      const RiskBorder::Row cross{own_of_(0, k), own_of_(1, k), own_of_(2, k)};
      const double square = inner(pivot.value, pivot.value);
      diagonal_[k] = 1.0 + scale[k] * scale[k] * (square - border_.taken_off(cross));
      for (double& one : pivot.value) {
        one *= scale[k];
      }
      move(pivot, rest);
      invert(pivot, alone[k], slope[k]);
      eliminate(pivot, rest);
    }
    if (place < claims_.states()) {
      const int state = claims_.state(place);
      const double way = place > 0 ? -claims_.gap(place - 1) : 0.0;
      prices_.crossings[place].in = {price, std::sqrt(weight[state]), way};
      values_.crossings[place].in = {value, std::sqrt(own_(0, state)), way};
      cross(place, rest);
    }
  }
  invert_all(price, value, rest);
  if (border_.has_shared()) {
    factor_shared(weight);
  }
}

/// The border, and the roots of the weights from the highest state down.
void StrikeSystem::load_states(const Slice& weight) {
  border_.load(weight.size(), [this](Eigen::Index i, const RiskBorder::Row& row) {
    for (int n = 0; n < RiskBorder::kVariables; ++n) {
      own_(n, i) = row[static_cast<std::size_t>(n)];
    }
  });
  Root price, value;
  prices_.heaviest = values_.heaviest = 0;
  for (Eigen::Index place = weight.size() - 1; place >= 0; --place) {
    const int state = claims_.state(place);
    const double way = claims_.gap(place);
    prices_.crossings[place].out = {price, std::sqrt(weight[state]), way};
    values_.crossings[place].out = {value, std::sqrt(own_(0, state)), way};
    prices_.crossings[place].above = price;
    values_.crossings[place].above = value;
    if (weight[state] > weight[claims_.state(prices_.heaviest)]) {
      prices_.heaviest = place;
    }
    if (own_(0, state) > own_(0, claims_.state(values_.heaviest))) {
      values_.heaviest = place;
    }
  }
  const Eigen::Index claims = diagonal_.size();
  for (int row = 0; row < RiskBorder::kVariables; ++row) {
    by_state_ = Eigen::Map<const Array>(&own_(row, 0), weight.size());
    own_of_(row, claims) = by_state_.sum();
    balance(values_);
    claims_.apply(by_state_, Eigen::Map<Array>(&own_of_(row, 0), claims));
  }
}

/// by_state_ in the heaviest state := what makes the sum zero, so that claims count from there.
void StrikeSystem::balance(const Basis& basis) {
  double& heaviest = by_state_[claims_.state(basis.heaviest)];
  heaviest = 0.0;
  heaviest = -by_state_.sum();
}

/// A claim in the basis of its strike.
StrikeSystem::Lines StrikeSystem::lines(const StrikeClaims::Claim& claim, const Basis& basis,
                                        const Root& below) const {
  const Root above = claim.strike < claims_.states() ? basis.crossings[claim.strike].above : Root{};
  const double from = claims_.payoff(claim, basis.heaviest);
  return {above.value * (claim.above.value - from) + above.mixed * claim.above.slope,
          above.slope * claim.above.slope,
          below.value * (claim.below.value - from) + below.mixed * claim.below.slope,
          below.slope * claim.below.slope};
}

/// What is owed by state for one number a claim and one for all states.
void StrikeSystem::owe(const ArrayView& claims, const Basis& basis, double of_all,
                       Eigen::Ref<Array> owed) const {
  claims_.apply_transposed(claims, owed);
  const double from = owed[claims_.state(basis.heaviest)];
  for (double& one : owed) {
    one = one - from + of_all;
  }
}

/// What the claim's x and e move of what is left.
void StrikeSystem::move(Pivot& pivot, const Rest& rest) const {
  multiply(rest.price, pivot.price, pivot.x_price);
  multiply(rest.coupling, pivot.price, pivot.x_value);
  multiply(rest.value, pivot.value, pivot.e_value);
  for (std::size_t n = 0; n < kLines; ++n) {
    pivot.e_price[n] = inner(rest.coupling[n], pivot.value);
  }
}

/// The claim's rows. An x that nothing is left of does not move.
void StrikeSystem::invert(Pivot& pivot, double alone, double slope) const {
  const double of_value = 1.0 + inner(pivot.value, pivot.e_value);
  const double across = slope + inner(pivot.price, pivot.e_price);
  const double of_price = alone + inner(pivot.price, pivot.x_price);
  const double left = of_price + across * across / of_value;
  if (left > kRedundantRow * (alone + inner(pivot.price, pivot.price))) {
    const double inverse = 1.0 / (left * of_value);
    pivot.of_x = 1.0 / left;
    pivot.across = across * inverse;
    pivot.of_e = of_price * inverse;
  } else {
    pivot.of_x = pivot.across = 0.0;
    pivot.of_e = 1.0 / of_value;
  }
}

/// Take out of the rest what the claim takes up.
void StrikeSystem::eliminate(const Pivot& pivot, Rest& rest) const {
  for (std::size_t n = 0; n < kLines; ++n) {
    // What row n of the rest sees of the claim's x and e.
    const double x = pivot.of_x * pivot.x_price[n] + pivot.across * pivot.e_price[n];
    const double e = pivot.across * pivot.x_price[n] - pivot.of_e * pivot.e_price[n];
    add(-x, pivot.x_price, rest.price[n]);
    add(-e, pivot.e_price, rest.price[n]);
    add(-x, pivot.x_value, rest.coupling[n]);
    add(e, pivot.e_value, rest.coupling[n]);
    const double x_of_value = pivot.of_x * pivot.x_value[n] - pivot.across * pivot.e_value[n];
    const double e_of_value = pivot.across * pivot.x_value[n] + pivot.of_e * pivot.e_value[n];
    add(x_of_value, pivot.x_value, rest.value[n]);
    add(-e_of_value, pivot.e_value, rest.value[n]);
  }
}

/// Take the state at a place from above the strike to below.
void StrikeSystem::cross(Eigen::Index place, Rest& rest) const {
  const Crossing& price = prices_.crossings[place];
  const Crossing& value = values_.crossings[place];
  rest.price = carried(price, carried(price, rest.price));
  rest.value = carried(value, carried(value, rest.value));
  // (F_price coupling)', and then (F_value of that)'.
  rest.coupling = carried(value, carried(price, rest.coupling));
  const Lines of_price = price.apart();
  const Lines of_value = value.apart();
  for (std::size_t n = 0; n < kLines; ++n) {
    add(of_price[n], of_price, rest.price[n]);
    add(of_value[n], of_value, rest.value[n]);
  }
}

/// All states: a push of them has no price, and a loss in all no value.
void StrikeSystem::invert_all(const Root& price, const Root& value, const Rest& rest) {
  Pivot& all = pivots_[diagonal_.size()];
  all.price = {0.0, 0.0, price.value, 0.0};
  all.value = {0.0, 0.0, value.value, 0.0};
  move(all, rest);
  const double p = inner(all.price, all.x_price);
  const double q = inner(all.price, all.e_price);
  const double r = inner(all.value, all.e_value);
  const double room = p + (r > 0.0 ? q * q / r : 0.0);
  // Zero where claims add up to all states and no price has room: then one follows from others.
  const bool free = room > kRedundantRow * price.value * price.value;
  const double inverse = free ? 1.0 / (p * r + q * q) : 0.0;
  all.of_x = r * inverse;
  all.across = q * inverse;
  all.of_e = free ? p * inverse : r > 0.0 ? 1.0 / r : 0.0;
}

/// What d and mu do, and what is left of them.
void StrikeSystem::factor_shared(const Slice& weight) {
  const Eigen::Index claims = diagonal_.size();
  for (int row = 0; row < RiskBorder::kShared; ++row) {
    double* const x = border_.x_by(row);
    double* const e = border_.e_by(row);
    for (Eigen::Index k = 0; k < claims; ++k) {
      x[k] = 0.0;
      e[k] = scale_[k] * own_of_(row + 1, k);
    }
    sweep(x, e, own_of_(row + 1, claims));
    const Eigen::Index states = weight.size();
    owe(Eigen::Map<const Array>(x, claims), prices_, push_of_all_,
        Eigen::Map<Array>(border_.push_by(row), states));
    scaled_ = scale_ * Eigen::Map<const Array>(e, claims);
    owe(scaled_, values_, loss_of_all_, Eigen::Map<Array>(border_.loss_by(row), states));
  }
  border_.factor_shared(
      weight, claims, [](Eigen::Index i) { return i; },
      [this](Eigen::Index k) { return alone_[k]; });
}

/// The solution with d and mu at zero, for a value of all states beside the right-hand sides.
void StrikeSystem::sweep(double* x, double* e, double all_value) {
  Lines push{};
  Lines loss{};
  auto at = claims_.order().begin();
  for (Eigen::Index place = 0; place <= claims_.states(); ++place) {
    for (; at != claims_.order().end() && claims_.claim(*at).strike == place; ++at) {
      const int k = *at;
      const Pivot& pivot = pivots_[k];
      const double price = x[k] - inner(pivot.price, push);
      const double value = e[k] - inner(pivot.value, loss);
      x[k] = pivot.of_x * price - pivot.across * value;
      e[k] = pivot.across * price + pivot.of_e * value;
      add(x[k], pivot.x_price, push);
      add(e[k], pivot.e_price, push);
      add(-x[k], pivot.x_value, loss);
      add(e[k], pivot.e_value, loss);
    }
    if (place < claims_.states()) {
      push = prices_.crossings[place].forward(push);
      loss = values_.crossings[place].forward(loss);
    }
  }
  const Pivot& all = pivots_[diagonal_.size()];
  const double price = -inner(all.price, push);
  const double value = all_value - inner(all.value, loss);
  push_of_all_ = all.of_x * price - all.across * value;
  loss_of_all_ = all.across * price + all.of_e * value;
  push = loss = {};
  add(push_of_all_, all.price, push);
  add(loss_of_all_, all.value, loss);
  auto down = claims_.order().rbegin();
  for (Eigen::Index place = claims_.states(); place >= 0; --place) {
    if (place < claims_.states()) {
      push = prices_.crossings[place].backward(push);
      loss = values_.crossings[place].backward(loss);
    }
    for (; down != claims_.order().rend() && claims_.claim(*down).strike == place; ++down) {
      const int k = *down;
      const Pivot& pivot = pivots_[k];
      const double of_price = inner(pivot.x_price, push) + inner(pivot.x_value, loss);
      const double of_value = inner(pivot.e_value, loss) - inner(pivot.e_price, push);
      x[k] -= pivot.of_x * of_price - pivot.across * of_value;
      e[k] -= pivot.across * of_price + pivot.of_e * of_value;
      add(x[k], pivot.price, push);
      add(e[k], pivot.value, loss);
    }
  }
}

void StrikeSystem::solve_in_place(Slice& x, Slice& e) {
  right_x_ = x;
  right_e_ = e;
  solve(x.data(), e.data());
  for (int n = 0; n < kCorrections && set_residual(x, e) > kRounding; ++n) {
    solve(rest_x_.data(), rest_e_.data());
    x += rest_x_;
    e += rest_e_;
  }
}

/// What the solution leaves of the right-hand sides; the most of either, by the most of its own.
double StrikeSystem::set_residual(const Slice& x, const Slice& e) {
  owe(x, prices_, 0.0, by_state_);
  const double mean = dot(weight_.data(), by_state_.data(), weight_.size()) / weight_.sum();
  for (Eigen::Index i = 0; i < weight_.size(); ++i) {
    by_state_[i] = weight_[i] * (by_state_[i] - mean);
  }
  balance(prices_);
  claims_.apply(by_state_, rest_x_);
  for (Eigen::Index k = 0; k < x.size(); ++k) {
    scaled_[k] = scale_[k] * e[k];
  }
  apply(scaled_, rest_e_);
  double most[] = {kLeast, kLeast, 0.0, 0.0};
  for (Eigen::Index k = 0; k < x.size(); ++k) {
    rest_x_[k] = right_x_[k] - alone_[k] * x[k] - slope_[k] * e[k] - rest_x_[k];
    rest_e_[k] = right_e_[k] + slope_[k] * x[k] - e[k] - scale_[k] * rest_e_[k];
    most[0] = std::max(most[0], std::abs(right_x_[k]));
    most[1] = std::max(most[1], std::abs(right_e_[k]));
    most[2] = std::max(most[2], std::abs(rest_x_[k]));
    most[3] = std::max(most[3], std::abs(rest_e_[k]));
  }
  return std::max(most[2] / most[0], most[3] / most[1]);
}

void StrikeSystem::solve(double* x, double* e) {
  sweep(x, e, 0.0);
  if (!border_.has_shared()) {
    return;
  }
  const Eigen::Index claims = diagonal_.size();
  RiskBorder::Shared pushed{own_of_(1, claims) * loss_of_all_, own_of_(2, claims) * loss_of_all_};
  for (Eigen::Index k = 0; k < claims; ++k) {
    const double loss = scale_[k] * e[k];
    pushed[0] += own_of_(1, k) * loss;
    pushed[1] += own_of_(2, k) * loss;
  }
  border_.move_shared(pushed, claims, x, e);
}

void StrikeSystem::apply(const Slice& y, Slice& out) {
  owe(y, values_, 0.0, by_state_);
  RiskBorder::Row pushed{};
  for (Eigen::Index i = 0; i < by_state_.size(); ++i) {
    for (int row = 0; row < RiskBorder::kVariables; ++row) {
      pushed[static_cast<std::size_t>(row)] += own_(row, i) * by_state_[i];
    }
  }
  const auto [kappa, d, mu] = border_.solve(pushed);
  for (Eigen::Index i = 0; i < by_state_.size(); ++i) {
    by_state_[i] = own_(0, i) * (by_state_[i] - kappa) - own_(1, i) * d - own_(2, i) * mu;
  }
  balance(values_);
  claims_.apply(by_state_, out);
}

}  // namespace kpm
