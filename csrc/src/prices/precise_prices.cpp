#include "prices/precise_prices.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr double kPositive = 1e-18;  // a state price this large can be positive
constexpr double kRangeEnd = 1e-14;  // a claim price this close to an end of its range is there
// A state price below this counts as zero: it shows in no digit beside others, need not fall
// further, and must not shorten the others' steps. (Doubles end at 5e-324, and a price falls by a
// factor per step.)
constexpr double kNothing = 1e-280;
constexpr double kInvisible = 1e-30;  // one below this moves no other, nor a claim's price
constexpr double kConverged = 1e-22;  // square of Newton's decrement: digits of the logarithms
constexpr double kRoughly = 1e-6;     // the same, at which multipliers have their signs
constexpr double kSign = 1e-11;       // of a multiplier, times its row's length
constexpr double kToBoundary = 0.95;
constexpr double kAllowance = 4e-13;   // of a claim's range: how far a price may miss its limit
constexpr double kWorthwhile = 1e-10;  // scaled money for which it may
constexpr int kManyStates = 1000;
constexpr int kSteps = 500;
constexpr int kHalvings = 30;

char at_end(double price, double low, double high) {
  return price <= low + kRangeEnd ? char{-1} : price >= high - kRangeEnd ? char{1} : char{0};
}

}  // namespace

PrecisePrices::PrecisePrices(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint)
    : market_(market),
      checkpoint_(checkpoint),
      simplex_(market, arena, checkpoint),
      xi_(arena.array(market.states())),
      end_(static_cast<std::size_t>(market.claims()), 0),
      kept_(static_cast<std::size_t>(market.claims()), 0),
      inside_(arena.span<Twofold>(market.states())),
      step_(arena.span<Twofold>(market.states())),
      basis_(arena.grid<Twofold>(market.claims() + 1, market.states())),
      triangle_(arena.grid<Twofold>(market.claims() + 1, market.claims() + 1)),
      gram_(arena.grid<Twofold>(market.claims() + 1, market.claims() + 1)),
      scaled_(arena.grid<Twofold>(market.claims() + 1, market.states())),
      nu_(arena.span<Twofold>(market.claims() + 1)),
      gradient_(market.states()),
      factor_(market.claims() + 1, arena) {
  xi_ = market.prior;
}

bool PrecisePrices::solve(const ArrayView& price_low, const ArrayView& price_high,
                          const ArrayView& flat_demand) {
  simplex_.reset();
  xi_ = market_.prior;
  nearest_ = false;
  const double exact = most_within(0.0, price_low, price_high, flat_demand);
  const double allowed = most_within(kAllowance, price_low, price_high, flat_demand);
  if (allowed == -kInfinity) {
    return false;
  }
  if (allowed <= exact + kWorthwhile) {
    most_within(0.0, price_low, price_high, flat_demand);
  }
  simplex_.restrict_to_optimal_face(kEqualRevenue);
  find_inside();
  nearest_ = descend();

  xi_.setZero();
  Twofold sum = 0.0;
  for (const int i : support_) {
    sum += inside_[i];
  }
  for (const int i : support_) {
    const auto at = static_cast<double>(inside_[i] / sum);
    xi_[i] = at > 2.0 * kNothing ? at : 0.0;
  }
  for (int k = 0; k < market_.claims(); ++k) {
    const double at = market_.payoffs.row(k).dot(xi_.matrix());
    if (!(at >= price_low[k] - kPriceTolerance && at <= price_high[k] + kPriceTolerance)) {
      xi_ = market_.prior;
      return nearest_ = false;
    }
  }
  return true;
}

/// The largest revenue of the flats with claim prices at most `allowance` out of their ranges;
/// minus infinity if no state prices reach these.
double PrecisePrices::most_within(double allowance, const ArrayView& price_low,
                                  const ArrayView& price_high, const ArrayView& flat_demand) {
  for (int k = 0; k < market_.claims(); ++k) {
    simplex_.set_range(k, price_low[k] - allowance, price_high[k] + allowance);
  }
  if (!simplex_.feasible()) {
    return -kInfinity;
  }
  const Array no_weight = Array::Zero(market_.states());
  return simplex_.maximise(flat_demand, no_weight);
}

/// The mean of vertices of the face, enough for every state that can have a price there to have
/// one. A vertex gives one to few: of many states most are given theirs at once.
void PrecisePrices::find_inside() {
  const int n = market_.states();
  std::fill(inside_.begin(), inside_.end(), Twofold());
  Array open = Array::Ones(n);
  note_vertex(open);
  if (!simplex_.is_vertex()) {
    if (n > kManyStates) {
      simplex_.enter_face();
      note_vertex(open);
    }
    const Array no_weight = Array::Zero(market_.claims());
    while (open.maxCoeff() > 0.0) {
      const double before = open.sum();
      if (!(simplex_.maximise(no_weight, open) > kPositive)) {
        break;
      }
      note_vertex(open);
      if (open.sum() == before) {
        break;
      }
    }
  }
  support_.clear();
  Twofold sum = 0.0;
  for (int i = 0; i < n; ++i) {
    if (open[i] == 0.0) {
      support_.push_back(i);
      sum += inside_[i];
    }
  }
  for (const int i : support_) {
    inside_[i] /= sum;
  }
}

void PrecisePrices::note_vertex(Array& open) {
  for (int i = 0; i < market_.states(); ++i) {
    const Twofold& at = simplex_.value_of(i);
    if (at > kPositive) {
      inside_[i] += at;
      open[i] = 0.0;
    }
  }
}

double PrecisePrices::price(int claim, const Array& of_states) const {
  const double* const row = &market_.payoffs(claim, 0);
  return dot(row, of_states.data(), market_.states());
}

/// Before an iteration of Newton's method.
void PrecisePrices::pass() {
  constexpr double kTwofold = 30.0;  // operations on doubles that one takes
  const auto wanted = static_cast<double>(active_.size() + 1);
  if (checkpoint_ != nullptr) {
    checkpoint_->pass(kTwofold * wanted * wanted * (static_cast<double>(support_.size()) + wanted));
  }
}

/// Newton's method along the face, with an active set. Returns whether it settled.
bool PrecisePrices::descend() {
  const int claims = market_.claims();
  Array at = Array::Zero(market_.states());
  const auto read = [&](const Span<Twofold>& from) {
    for (const int i : support_) {
      at[i] = static_cast<double>(from[i]);
    }
  };
  read(inside_);
  active_.clear();
  std::fill(kept_.begin(), kept_.end(), char{0});
  std::vector<int> ends;
  for (int k = 0; k < claims; ++k) {
    const double low = simplex_.range_low(k);
    const double high = simplex_.range_high(k);
    const bool point = high - low <= kSameClaim;
    char& end = end_[static_cast<std::size_t>(k)];
    end = point ? char{2} : at_end(price(k, at), low, high);
    if (end != 0) {
      (point ? active_ : ends).push_back(k);
    }
  }
  active_.insert(active_.end(), ends.begin(), ends.end());
  orthonormalise();
  int dropped = -1;
  for (int iteration = 0; iteration < kSteps; ++iteration) {
    pass();
    const double decrement = direction();
    if (!std::isfinite(decrement)) {
      return false;
    }
    if (decrement <= kRoughly) {
      const int wrong = end_to_drop();
      if (wrong >= 0) {
        dropped = wrong;
        end_[static_cast<std::size_t>(wrong)] = 0;
        active_.erase(std::find(active_.begin(), active_.end(), wrong));
        orthonormalise();
        continue;
      }
    }
    int blocking = -1;
    double length = longest_step(blocking);
    const double shorter = shorten(length);
    blocking = shorter < length ? -1 : blocking;
    length = shorter;
    for (const int i : support_) {
      inside_[i] = std::max(inside_[i] + length * step_[i], Twofold(kNothing));
    }
    if (decrement <= kConverged && blocking < 0) {
      for (const int i : vanishing_) {
        inside_[i] = kNothing;
      }
      return true;
    }
    if (blocking >= 0) {
      const auto k = static_cast<std::size_t>(blocking);
      kept_[k] = kept_[k] != 0 || (blocking == dropped && length < kSign) ? 1 : 0;
      read(step_);
      end_[k] = price(blocking, at) < 0.0 ? char{-1} : char{1};
      active_.push_back(blocking);
      orthonormalise();
    }
  }
  return false;
}

/// An orthonormal basis of the constant and the active claims' payoffs on the support (Gram and
/// Schmidt). A claim that depends on earlier ones is left out.
void PrecisePrices::orthonormalise() {
  claim_.clear();
  const Array ones = Array::Ones(market_.states());
  add_row(ones.data(), -1);
  for (const int k : active_) {
    add_row(&market_.payoffs(k, 0), k);
  }
}

void PrecisePrices::add_row(const double* payoff, int claim) {
  const auto row = static_cast<Eigen::Index>(claim_.size());
  const auto size = static_cast<Eigen::Index>(support_.size());
  Twofold* const rest = &basis_(row, 0);
  for (Eigen::Index i = 0; i < size; ++i) {
    rest[i] = payoff[support_[static_cast<std::size_t>(i)]];
  }
  for (Eigen::Index b = 0; b < row; ++b) {
    const Twofold* const unit = &basis_(b, 0);
    const Twofold along = dot(rest, unit, size);
    triangle_(row, b) = along;
    for (Eigen::Index i = 0; i < size; ++i) {
      rest[i] -= along * unit[i];
    }
  }
  Twofold most = 0.0;
  for (Eigen::Index i = 0; i < size; ++i) {
    most = std::max(most, abs(rest[i]));
  }
  if (most <= kSameClaim) {
    return;
  }
  Twofold square = 0.0;
  for (Eigen::Index i = 0; i < size; ++i) {
    rest[i] /= most;
    square += rest[i] * rest[i];
  }
  const double rough = std::sqrt(static_cast<double>(square));
  const Twofold length = 0.5 * (rough + square / rough);  // Newton's step doubles the digits
  for (Eigen::Index i = 0; i < size; ++i) {
    rest[i] /= length;
  }
  triangle_(row, row) = most * length;
  claim_.push_back(claim);
}

/// Newton's direction among those that change no active price; its decrement, squared, but for the
/// share of prices that are invisible and vanish: e^{-relative} smaller at the optimum by the
/// present multipliers, which would take as many steps. (Payoffs of one claim printed with ten
/// digits may leave a state to tell it from a sum of others, by 1e-10.)
///   step = xi relative,   relative = B'nu - gradient,   (B diag(xi) B') nu = B diag(xi) gradient
double PrecisePrices::direction() {
  const auto rows = static_cast<Eigen::Index>(claim_.size());
  const auto size = static_cast<Eigen::Index>(support_.size());
  for (Eigen::Index i = 0; i < size; ++i) {
    const int state = support_[static_cast<std::size_t>(i)];
    gradient_[i] = std::log(static_cast<double>(inside_[state])) - std::log(market_.prior[state]);
  }
  for (Eigen::Index a = 0; a < rows; ++a) {
    Twofold* const scaled = &scaled_(a, 0);
    Twofold pull = 0.0;
    for (Eigen::Index i = 0; i < size; ++i) {
      scaled[i] = basis_(a, i) * inside_[support_[static_cast<std::size_t>(i)]];
      pull += scaled[i] * gradient_[i];
    }
    nu_[a] = pull;
    for (Eigen::Index b = 0; b <= a; ++b) {
      gram_(a, b) = dot(scaled, &basis_(b, 0), size);
    }
  }
  factor_.compute(&gram_(0, 0), gram_.columns(), rows);
  factor_.solve_in_place(nu_.begin());
  double decrement = 0.0;
  vanishing_.clear();
  for (Eigen::Index i = 0; i < size; ++i) {
    Twofold relative = -gradient_[i];
    for (Eigen::Index a = 0; a < rows; ++a) {
      relative += nu_[a] * basis_(a, i);
    }
    const int state = support_[static_cast<std::size_t>(i)];
    step_[state] = inside_[state] * relative;
    const auto now = static_cast<double>(inside_[state]);
    if (now < kInvisible && std::log(now) + static_cast<double>(relative) < std::log(kNothing)) {
      vanishing_.push_back(state);
    } else {
      decrement += static_cast<double>(step_[state] * relative);
    }
  }
  return decrement;
}

/// How far the step can be followed, and the claim whose range ends it, if one does.
double PrecisePrices::longest_step(int& blocking) const {
  Array at = Array::Zero(market_.states());
  Array change = Array::Zero(market_.states());
  double inverse_step = kToBoundary;
  for (const int i : support_) {
    at[i] = static_cast<double>(inside_[i]);
    change[i] = static_cast<double>(step_[i]);
    if (at[i] > kNothing) {
      inverse_step = std::max(inverse_step, -change[i] / at[i]);
    }
  }
  double length = std::min(kToBoundary / inverse_step, 1.0);
  for (int k = 0; k < market_.claims(); ++k) {
    if (end_[static_cast<std::size_t>(k)] != 0) {
      continue;
    }
    const double moves = price(k, change);
    const double now = price(k, at);
    const double room = moves < 0.0 ? now - simplex_.range_low(k) : simplex_.range_high(k) - now;
    if (std::abs(moves) > kRangeEnd && room < length * std::abs(moves)) {
      length = std::max(room, 0.0) / std::abs(moves);
      blocking = k;
    }
  }
  return length;
}

/// The step, halved until KL at its end rises no faster than half its first slope.
double PrecisePrices::shorten(double step) const {
  const double now = slope(0.0);
  for (int halving = 0; halving < kHalvings && slope(step) > 0.5 * std::abs(now); ++halving) {
    step *= 0.5;
  }
  return step;
}

/// The slope of KL along the step.
double PrecisePrices::slope(double step) const {
  double sum = 0.0;
  for (const int state : support_) {
    const auto moved = static_cast<double>(inside_[state] + step * step_[state]);
    const double there = std::max(moved, kNothing);
    sum += static_cast<double>(step_[state]) * (std::log(there) - std::log(market_.prior[state]));
  }
  return sum;
}

/// The end of a range whose multiplier is the most on the wrong side: KL would fall inside; -1 for
/// none. nu = triangle' lambda.
int PrecisePrices::end_to_drop() {
  const auto rows = static_cast<Eigen::Index>(claim_.size());
  int wrong = -1;
  double most = kSign;
  for (Eigen::Index a = rows - 1; a > 0; --a) {
    const int claim = claim_[static_cast<std::size_t>(a)];
    const char end = end_[static_cast<std::size_t>(claim)];
    if (end == 2) {
      break;  // points come first
    }
    const Twofold lambda = nu_[a] / triangle_(a, a);
    for (Eigen::Index b = 0; b < a; ++b) {
      nu_[b] -= triangle_(a, b) * lambda;
    }
    const double pull = -end * static_cast<double>(lambda * triangle_(a, a));
    if (-pull > most && kept_[static_cast<std::size_t>(claim)] == 0) {
      most = -pull;
      wrong = claim;
    }
  }
  return wrong;
}

}  // namespace kpm
