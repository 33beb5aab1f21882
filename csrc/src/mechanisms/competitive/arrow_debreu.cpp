#include "mechanisms/competitive/arrow_debreu.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace kpm {

namespace {

constexpr int kSteps = 200;
constexpr int kPatience = 8;  // steps: where Newton's method moves by kinks, bisection is faster
constexpr int kRounds = 30;
constexpr double kOfAState = 40.0;  // operations: divisions, and the way to a rung
constexpr double kExact = 2e-16;
constexpr double kRounding = 4e-16;

/// By state the claim that pays on it, -1 where there is none; empty unless the claims are
/// Arrow-Debreu's.
std::vector<int> claims_of(const Matrix& payoffs) {
  std::vector<int> claim(static_cast<std::size_t>(payoffs.cols()), -1);
  for (Eigen::Index k = 0; k < payoffs.rows(); ++k) {
    Eigen::Index state = -1;
    for (Eigen::Index i = 0; i < payoffs.cols(); ++i) {
      const double payoff = payoffs(k, i);
      if (payoff == 0.0) {
        continue;
      }
      if (payoff != 1.0 || state >= 0) {
        return {};
      }
      state = i;
    }
    int& place = claim[static_cast<std::size_t>(state)];
    if (place >= 0) {
      return {};  // two claims on one state: their demands would have to be added up
    }
    place = static_cast<int>(k);
  }
  return claim;
}

class ScalarRoot {
 public:
  ScalarRoot(const Auction& auction, std::vector<int> claim);

  AuctionPoint find(std::int64_t& iterations);

 private:
  struct State {
    int claim = -1;
    double orders = 0.0;     // delta
    double inventory = 0.0;  // w
    int piece = 0;           // of its claim; always a rung where it has none
    double price = 0.0;
    double demand = 0.0;  // on a rung

    bool on_step() const { return piece % 2 == 1; }
    double loss() const { return demand - inventory; }
  };

  const Ladder& ladder(const State& state) const { return auction_.ladder(state.claim); }
  /// Before what looks at every state once.
  void pass() const { auction_.checkpoint.pass(kOfAState * static_cast<double>(states_.size())); }
  void find_piece(State& state, double t) const;
  double excess(double t, double& slope);
  double refine(double t);
  double distance(double worst, double target) const;
  double room_above(const State& state, double t) const;
  bool leave_rung(State& state) const;
  bool leave_step(State& state, double t) const;
  /// On a step: the demand at which the state's price is the limit.
  static double demand_at(const State& state, double t) {
    return t + state.inventory - state.orders / state.price;
  }

  const Auction& auction_;
  std::vector<State> states_;
};

ScalarRoot::ScalarRoot(const Auction& auction, std::vector<int> claim)
    : auction_(auction), states_(claim.size()) {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    states_[i].claim = claim[i];
    states_[i].orders = auction.maker.total * auction.maker.prior[at];
    states_[i].inventory = auction.market.inventory[at];
  }
}

/// The state's price and the piece of its claim there.
void ScalarRoot::find_piece(State& state, double t) const {
  const double room = t + state.inventory;  // t - L + y
  if (state.claim < 0) {
    state.price = state.orders / room;
    return;
  }
  const Ladder& rungs = ladder(state);
  const auto misses = [&](std::size_t l) {
    return rungs.limit[l] * (room - rungs.demand[l]) < state.orders;
  };
  // The first rung that ends above the price.
  std::size_t first = 0;
  std::size_t count = rungs.limit.size();
  while (count > 0) {
    const std::size_t half = count / 2;
    if (misses(first + half)) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  state.demand = rungs.demand[first];
  if (first > 0 && rungs.limit[first - 1] * (room - state.demand) > state.orders) {
    state.piece = static_cast<int>(2 * first) - 1;
    state.price = rungs.limit[first - 1];
  } else {
    state.piece = static_cast<int>(2 * first);
    state.price = state.orders / (room - state.demand);
  }
}

double ScalarRoot::excess(double t, double& slope) {
  pass();
  double sum = -1.0;
  slope = 0.0;
  for (State& state : states_) {
    find_piece(state, t);
    sum += state.price;
    slope -= state.on_step() ? 0.0 : state.price * state.price / state.orders;
  }
  return sum;
}

/// The distance of t from the worst loss on a rung at which the prices on rungs add up to `target`:
/// they fall and are convex, their inverse is nearly linear.
double ScalarRoot::distance(double worst, double target) const {
  double u = 0.0;
  for (const State& state : states_) {
    if (!state.on_step()) {
      u = std::max(u, state.orders / target - (worst - state.loss()));
    }
  }
  for (int step = 0; step < kSteps; ++step) {
    pass();
    double sum = 0.0;
    double slope = 0.0;
    for (const State& state : states_) {
      if (!state.on_step()) {
        const double price = state.orders / (u + (worst - state.loss()));
        sum += price;
        slope += price * price / state.orders;
      }
    }
    const double change = (sum - target) * sum / (slope * target);
    u += std::max(change, 0.0);
    if (!(change > kExact * u)) {
      break;
    }
  }
  return u;
}

/// Small starting orders leave t close to the worst loss, and only the difference has the digits of
/// the prices: it is found anew at the present pieces, and the pieces with it. Returns t.
double ScalarRoot::refine(double t) {
  for (int round = 0; round < kRounds; ++round) {
    pass();
    double worst = -kInfinity;
    double rest = 1.0;       // the sum that the prices on rungs must have
    State* first = nullptr;  // the step to end first as t rises
    for (State& state : states_) {
      if (!state.on_step()) {
        worst = std::max(worst, state.loss());
        continue;
      }
      rest -= state.price;
      if (first == nullptr || room_above(state, t) < room_above(*first, t)) {
        first = &state;
      }
    }
    if (!std::isfinite(worst)) {
      return t;
    }
    // The limits of the steps add up to one: one price is then a little below its limit.
    const double least = kRounding * static_cast<double>(states_.size());
    if (rest <= least && first != nullptr) {
      --first->piece;
      first->demand = ladder(*first).demand[static_cast<std::size_t>(first->piece / 2)];
      continue;
    }
    const double u = distance(worst, rest);
    t = worst + u;
    bool moved = false;
    for (State& state : states_) {
      if (!state.on_step()) {
        state.price = state.orders / (u + (worst - state.loss()));
        moved = leave_rung(state) || moved;
      } else {
        moved = leave_step(state, t) || moved;
      }
    }
    if (!moved) {
      break;
    }
  }
  return t;
}

double ScalarRoot::room_above(const State& state, double t) const {
  return ladder(state).demand[static_cast<std::size_t>(state.piece / 2)] - demand_at(state, t);
}

/// Move to the step at the end of the rung beyond which the price lies.
bool ScalarRoot::leave_rung(State& state) const {
  if (state.claim < 0) {
    return false;
  }
  const Figures& limit = ladder(state).limit;
  const auto l = static_cast<std::size_t>(state.piece / 2);
  const bool above = l < limit.size() && state.price > limit[l];
  if (!above && !(l > 0 && state.price < limit[l - 1])) {
    return false;
  }
  state.piece += above ? 1 : -1;
  state.price = limit[static_cast<std::size_t>(state.piece / 2)];
  return true;
}

/// Move to the rung at the end of the step beyond which the demand lies.
bool ScalarRoot::leave_step(State& state, double t) const {
  const ScaledDemand& demand = ladder(state).demand;
  const auto l = static_cast<std::size_t>(state.piece / 2);
  const double wanted = demand_at(state, t);
  const double rounding = kRounding * (std::abs(t) + std::abs(state.inventory));
  if (wanted <= demand[l] + rounding && wanted >= demand[l + 1] - rounding) {
    return false;
  }
  state.piece += wanted > demand[l] ? -1 : 1;
  state.demand = demand[static_cast<std::size_t>(state.piece / 2)];
  return true;
}

AuctionPoint ScalarRoot::find(std::int64_t& iterations) {
  // At `low` some state alone costs one or more, at `high` none costs more than its share.
  double low = -kInfinity;
  double high = -kInfinity;
  for (const State& state : states_) {
    const double least = state.claim < 0 ? 0.0 : ladder(state).demand.back();
    const double most = state.claim < 0 ? 0.0 : ladder(state).demand.front();
    low = std::max(low, least - state.inventory + state.orders);
    high = std::max(high, most - state.inventory);
  }
  high += auction_.maker.total;
  const double rounding = kRounding * static_cast<double>(states_.size());
  double t = 0.5 * (low + high);
  for (int step = 0; step < kSteps; ++step) {
    double slope = 0.0;
    const double off = excess(t, slope);
    ++iterations;
    if (off == 0.0 || (slope == 0.0 && std::abs(off) <= rounding)) {
      break;  // every price is on a limit, and these add up to one
    }
    (off > 0.0 ? low : high) = t;
    const double newton = t - off / slope;
    const bool inside = newton > low && newton < high && step % kPatience != kPatience - 1;
    const double next = inside ? newton : 0.5 * (low + high);
    if (!(std::abs(next - t) > kExact * std::abs(t))) {
      break;
    }
    t = next;
  }
  t = refine(t);

  AuctionPoint point;
  point.g.resize(static_cast<Eigen::Index>(states_.size()));
  point.piece.resize(static_cast<std::size_t>(auction_.market.claims()));
  point.demand.resize(auction_.market.claims());
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const State& state = states_[i];
    point.g[static_cast<Eigen::Index>(i)] = state.price;
    if (state.claim < 0) {
      continue;
    }
    const Ladder& rungs = ladder(state);
    double demand = state.demand;
    if (state.on_step()) {
      const auto l = static_cast<std::size_t>(state.piece / 2);
      demand = std::clamp(demand_at(state, t), rungs.demand[l + 1], rungs.demand[l]);
    }
    point.piece[static_cast<std::size_t>(state.claim)] = state.piece;
    point.demand[state.claim] = demand;
  }
  point.g /= point.g.sum();
  point.p = point.g;
  return point;
}

}  // namespace

std::optional<AuctionPoint> find_arrow_debreu(const Auction& auction, std::int64_t& iterations) {
  if (auction.maker.kind != MakerKind::kStartingOrders) {
    return std::nullopt;
  }
  std::vector<int> claim = claims_of(auction.market.payoffs);
  if (claim.empty()) {
    return std::nullopt;
  }
  return ScalarRoot(auction, std::move(claim)).find(iterations);
}

}  // namespace kpm
