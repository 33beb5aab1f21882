#include "prices/information_projection.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/inner_products.hpp"
#include "prices/disjoint_ranges.hpp"

namespace kpm {

namespace {

constexpr double kPoint = 1e-13;     // a price range this narrow is a point
constexpr double kRounding = 1e-15;  // residual of a price that rounding alone explains
constexpr double kSlack = 10.0 * kRounding;
constexpr Eigen::Index kBlock = 1024;  // states whose sum keeps its digits
constexpr double kRough = 3e-2;        // residual at which it shows which ends bind
constexpr int kDirectSteps = 20;       // of the direct way, for one set of ends
constexpr int kActiveSets = 20;
constexpr double kMoves = 1e-9;      // share of a null vector that is more than rounding
constexpr double kLargest = 5e9;     // sum of multipliers: exponents are then known to 1e-6
constexpr int kFactorSteps = 200;    // a range's end may be as small as doubles get
constexpr double kVanishing = 1e-6;  // of its prior: a state that the direct way leaves alone

/// By what factor the exponents move too far: a state's weight may change by a factor of e^2, or
/// rise from less to kMention. A fall of a weight below kMention does not matter.
double exponent_reach(const double* weights, const double* moved, double mean, Eigen::Index count) {
  constexpr double kFactor = 2.0;
  constexpr double kMention = 1e-2;
  double reach = 0.0;
  for (Eigen::Index i = 0; i < count; ++i) {
    const double change = moved[i] - mean;
    const bool counts = weights[i] > kMention;
    if (change > 0.0) {
      const double room = counts ? 0.0 : std::log(kMention / std::max(weights[i], 1e-300));
      reach = std::max(reach, change / (kFactor + room));
    } else if (counts) {
      reach = std::max(reach, -change / kFactor);
    }
  }
  return reach;
}

}  // namespace

InformationProjection::InformationProjection(const ScaledMarket& market, Arena& arena,
                                             Checkpoint* checkpoint)
    : market_(market),
      checkpoint_(checkpoint),
      sets_(disjoint_sets(market)),
      end_(arena.span<int>(market.claims())),
      low_(arena.array(market.claims())),
      high_(arena.array(market.claims())),
      distribution_(arena.array(market.states())),
      payoffs_(rows_unless(sets_.disjoint(), market, market.states(), arena)),
      scaled_(rows_unless(sets_.disjoint(), market, market.states(), arena)),
      hessian_(rows_unless(sets_.disjoint(), market, market.claims(), arena)),
      prior_(arena.array(market.states())),
      weight_(arena.array(market.states())),
      root_(arena.array(market.states())),
      moved_(arena.array(market.states())),
      lambda_(arena.array(market.claims())),
      price_(arena.array(market.claims())),
      step_(arena.array(market.claims())),
      null_(arena.array(market.claims())),
      factor_(market.claims(), arena) {
  distribution_ = market.prior;
  support_.reserve(static_cast<std::size_t>(market.states()));
  active_.reserve(static_cast<std::size_t>(market.claims()));
}

void InformationProjection::clear() {
  support_.clear();
  low_.setConstant(-kInfinity);
  high_.setConstant(kInfinity);
}

bool InformationProjection::is_point(int k) const { return high_[k] - low_[k] <= kPoint; }

void InformationProjection::load() {
  double mass = 0.0;
  const auto size = static_cast<Eigen::Index>(support_.size());
  for (Eigen::Index i = 0; i < size; ++i) {
    prior_[i] = market_.prior[support_[static_cast<std::size_t>(i)]];
    mass += prior_[i];
  }
  for (Eigen::Index i = 0; i < size; ++i) {
    prior_[i] /= mass;
  }
  for (int k = 0; k < market_.claims(); ++k) {
    const double* const row = &market_.payoffs(k, 0);
    double* const compressed = &payoffs_(k, 0);
    for (Eigen::Index i = 0; i < size; ++i) {
      compressed[i] = row[support_[static_cast<std::size_t>(i)]];
    }
    lambda_[k] = 0.0;
    end_[k] = 0;
  }
  active_.clear();
  weighed_ = false;
}

/// The distribution of the current multipliers.
void InformationProjection::weigh() {
  const auto size = static_cast<Eigen::Index>(support_.size());
  for (Eigen::Index i = 0; i < size; ++i) {
    weight_[i] = 0.0;
  }
  for (const int k : active_) {
    const double* const row = &payoffs_(k, 0);
    weight_.head(size) += lambda_[k] * Eigen::Map<const Array>(row, size);
  }
  double largest = -kInfinity;
  for (Eigen::Index i = 0; i < size; ++i) {
    largest = std::max(largest, weight_[i]);
  }
  double mass = 0.0;
  for (Eigen::Index first = 0; first < size; first += kBlock) {
    double part = 0.0;
    for (Eigen::Index i = first; i < std::min(first + kBlock, size); ++i) {
      weight_[i] = prior_[i] * std::exp(weight_[i] - largest);
      part += weight_[i];
    }
    mass += part;
  }
  log_mass_ = largest + std::log(mass);
  const double inverse = 1.0 / mass;
  for (Eigen::Index i = 0; i < size; ++i) {
    weight_[i] *= inverse;
  }
  weighed_ = true;
}

void InformationProjection::pass(double operations) {
  if (checkpoint_ != nullptr) {
    checkpoint_->pass(operations);
  }
}

/// The prices that newton() has left out: those of claims no end of whose range is assumed to bind.
void InformationProjection::price_others() {
  const auto size = static_cast<Eigen::Index>(support_.size());
  for (int k = 0; k < market_.claims(); ++k) {
    if (end_[k] == 0 && !is_point(k)) {
      price_[k] = dot(&payoffs_(k, 0), weight_.data(), size);
    }
  }
}

void InformationProjection::publish() {
  distribution_.setZero();
  for (std::size_t i = 0; i < support_.size(); ++i) {
    distribution_[support_[i]] = weight_[static_cast<Eigen::Index>(i)];
  }
}

/// The covariances of the active claims' payoffs, the lower triangle.
void InformationProjection::find_hessian() {
  const auto size = static_cast<Eigen::Index>(support_.size());
  const auto active = static_cast<Eigen::Index>(active_.size());
  root_.head(size) = weight_.head(size).sqrt();
  for (Eigen::Index a = 0; a < active; ++a) {
    const int k = active_[static_cast<std::size_t>(a)];
    Eigen::Map<Array> scaled(scaled_.data() + a * size, size);  // rows without gaps
    scaled = Eigen::Map<const Array>(&payoffs_(k, 0), size) - price_[k];
    if ((scaled.abs() >= kPoint).any()) {
      scaled *= root_.head(size);
    } else {  // a claim that pays the same in every supported state has one price whatever lambda
      scaled.setZero();
    }
    std::fill_n(&hessian_(a, 0), a + 1, 0.0);
  }
  add_gram(scaled_.data(), active, size, hessian_.data(), hessian_.cols());
}

/// Move the multipliers of the active claims until their prices meet the ends that are assumed to
/// bind, to `precision`. Where no prices meet these ends, one of them is left out.
InformationProjection::Newton InformationProjection::newton(double precision, int most_steps) {
  const auto size = static_cast<Eigen::Index>(support_.size());
  const auto active = static_cast<int>(active_.size());
  double residual = kInfinity;
  for (int iteration = 0; iteration < most_steps; ++iteration) {
    if (!weighed_) {  // what joined the active claims has a multiplier of zero
      weigh();
    }
    double largest = 0.0;
    double potential = 0.0;
    for (int a = 0; a < active; ++a) {
      pass(static_cast<double>((a + 2) * size));
      const int k = active_[static_cast<std::size_t>(a)];
      price_[k] = dot(&payoffs_(k, 0), weight_.data(), size);
      const int side = end_[k];
      const double target = side < 0 ? low_[k] : side > 0 ? high_[k] : 0.5 * (low_[k] + high_[k]);
      step_[a] = target - price_[k];
      potential += lambda_[k] * target;
      largest = std::max(largest, std::abs(step_[a]));
    }
    too_far_ = potential - log_mass_ > farthest_;
    if (too_far_) {
      return Newton::kFailed;
    }
    if (largest <= precision || (largest < 100.0 * kRounding && largest >= 0.5 * residual)) {
      return Newton::kMet;
    }
    find_hessian();
    residual = largest;
    factor_.compute(hessian_.data(), hessian_.cols(), active, SemidefiniteCholesky::kRedundant,
                    [this](double operations) { pass(operations); });
    if (iteration == 0) {
      const Newton exchanged = exchange(step_.data());
      if (exchanged != Newton::kMet) {
        return exchanged;
      }
    }
    factor_.solve_in_place(step_.data());
    std::fill_n(moved_.data(), size, 0.0);
    for (int a = 0; a < active; ++a) {
      const int k = active_[static_cast<std::size_t>(a)];
      const double* const row = &payoffs_(k, 0);
      moved_.head(size) += step_[a] * Eigen::Map<const Array>(row, size);
    }
    // Log-sum-exp is well approximated while no exponent that counts moves by much more than one.
    const double mean = dot(weight_.data(), moved_.data(), size);
    const double reach = exponent_reach(weight_.data(), moved_.data(), mean, size);
    const double length = std::min(1.0, 1.0 / std::max(reach, 1e-300));
    for (int a = 0; a < active; ++a) {
      lambda_[active_[static_cast<std::size_t>(a)]] += length * step_[a];
    }
    weighed_ = false;
  }
  return Newton::kFailed;
}

/// Of linearly dependent claims one's price follows from the others' (the place claims of a race
/// add up to the number of places). Where an end is therefore missed whatever the weights, the dual
/// rises without curvature along multipliers that cancel out in every state, up to where one of
/// them is zero; that end does not bind. If none becomes zero, no prices meet all ranges.
InformationProjection::Newton InformationProjection::exchange(const double* missed) {
  const auto active = static_cast<Eigen::Index>(active_.size());
  for (Eigen::Index row = 0; row < active; ++row) {
    if (!factor_.is_redundant(row)) {
      continue;
    }
    factor_.null_vector(row, null_.data());
    double rise = 0.0;
    double size = 0.0;
    for (Eigen::Index a = 0; a <= row; ++a) {
      rise += missed[a] * null_[a];
      size += std::abs(null_[a]);
    }
    if (std::abs(rise) <= kSlack * size) {
      continue;
    }
    const double sign = rise > 0.0 ? 1.0 : -1.0;
    Eigen::Index first = -1;
    double length = kInfinity;
    for (Eigen::Index a = 0; a <= row; ++a) {
      const int k = active_[static_cast<std::size_t>(a)];
      const double fall = end_[k] * sign * null_[a];
      if (fall > kMoves * size) {
        const double reach =
            std::max(-end_[k] * lambda_[active_[static_cast<std::size_t>(a)]], 0.0) / fall;
        if (reach < length) {
          length = reach;
          first = a;
        }
      }
    }
    if (first < 0) {
      return Newton::kFailed;
    }
    for (Eigen::Index a = 0; a <= row; ++a) {
      lambda_[active_[static_cast<std::size_t>(a)]] += length * sign * null_[a];
    }
    const int left_out = active_[static_cast<std::size_t>(first)];
    lambda_[left_out] = 0.0;
    end_[left_out] = 0;
    active_.erase(active_.begin() + first);
    weighed_ = false;
    return Newton::kExchanged;
  }
  return Newton::kMet;
}

/// Ends whose multiplier would push the price out of its range do not bind. Returns whether there
/// were any.
bool InformationProjection::drop_wrong_sign_multipliers() {
  std::size_t kept = 0;
  for (const int k : active_) {
    int& side = end_[k];
    if (side * lambda_[k] > 0.0) {
      side = 0;
      lambda_[k] = 0.0;
    } else {
      active_[kept++] = k;
    }
  }
  const bool dropped = kept < active_.size();
  active_.resize(kept);
  weighed_ = weighed_ && !dropped;
  return dropped;
}

bool InformationProjection::settle(double farthest) {
  farthest_ = farthest;
  too_far_ = false;
  if (sets_.disjoint()) {
    return settle_disjoint();
  }
  return settle_by(true) || (!too_far_ && settle_by(false));
}

/// Whether prices of disjoint claims within their ranges, beside the states in which none pays, can
/// add up to one.
bool InformationProjection::ranges_add_up(const Slice& share, double free, double slack) const {
  double least = 0.0;
  double most = free > 0.0 ? kInfinity : 0.0;
  for (int k = 0; k < market_.claims(); ++k) {
    if (share[k] > 0.0) {
      least += std::clamp(0.0, low_[k], high_[k]);
      most += high_[k];
    }
  }
  return least <= 1.0 + slack && most >= 1.0 - slack;
}

/// Within a claim's states the nearest prices are in the proportion of the prior, so only the
/// claims' prices are to be found: those of the prior times one factor, each moved into its range,
/// with the factor at which they add up to one with the states in which no claim pays.
bool InformationProjection::settle_disjoint() {
  pass(2.0 * static_cast<double>(support_.size()));
  active_.clear();
  double mass = 0.0;  // of the prior, on the support
  for (const int i : support_) {
    mass += market_.prior[i];
  }
  Slice& share = step_;  // (claims) of that mass
  share.setZero();
  double free = 0.0;  // the share of states in which no claim pays
  for (const int i : support_) {
    const int k = sets_.claim_of(i);
    (k == DisjointClaims::kNone ? free : share[k]) += market_.prior[i] / mass;
  }
  const double enough = kRounding * static_cast<double>(2 + market_.claims());
  const double slack = std::max(kSlack, enough);
  if (!ranges_add_up(share, free, slack)) {
    return false;
  }
  double factor = 1.0;
  double too_small = 0.0;
  double too_large = kInfinity;
  double sum = 0.0;
  bool close = false;
  for (int step = 0; step < kFactorSteps; ++step) {
    pass(static_cast<double>(market_.claims()));
    double held = 0.0;  // by an end of a range
    double moves = free;
    for (int k = 0; k < market_.claims(); ++k) {
      const double price = factor * share[k];
      // No price where no state is left to carry it.
      price_[k] = share[k] > 0.0 ? std::clamp(price, low_[k], high_[k]) : 0.0;
      (price_[k] == price ? moves : held) += price_[k] == price ? share[k] : price_[k];
    }
    sum = held + factor * moves;
    const bool was_close = close;
    close = std::abs(sum - 1.0) <= enough;
    (sum < 1.0 ? too_small : too_large) = factor;
    const double next = moves > 0.0 ? (1.0 - held) / moves : kInfinity;
    const bool inside = too_small < next && next < too_large;
    if (close && (was_close || !inside)) {
      break;
    }
    // Where another range's end binds there, the middle, of numbers that decades may separate.
    factor = inside                     ? next
             : !(too_large < kInfinity) ? 1e3 * too_small
             : too_small > 0.0          ? std::sqrt(too_small) * std::sqrt(too_large)
                                        : 1e-3 * too_large;
  }
  double divergence = free > 0.0 ? factor * free * std::log(factor) : 0.0;
  for (int k = 0; k < market_.claims(); ++k) {
    if (!(price_[k] >= low_[k] - kSlack && price_[k] <= high_[k] + kSlack)) {
      return false;
    }
    divergence += price_[k] > 0.0 ? price_[k] * std::log(price_[k] / share[k]) : 0.0;
  }
  too_far_ = divergence > farthest_;
  if (too_far_ || !(std::abs(sum - 1.0) <= slack)) {
    return false;
  }
  distribution_.setZero();
  for (const int i : support_) {
    const int k = sets_.claim_of(i);
    // Limits that hold every price add up to one but for slack.
    distribution_[i] = market_.prior[i] / mass *
                       (k == DisjointClaims::kNone ? factor : price_[k] / share[k]) / sum;
  }
  return true;
}

/// Adds all ranges that are missed `together`, or else the worst of them alone.
bool InformationProjection::settle_by(bool together) {
  load();
  const int claims = market_.claims();
  for (int k = 0; k < claims; ++k) {
    if (is_point(k)) {
      active_.push_back(k);
    }
  }
  double precision = kRough;
  for (int attempt = 0; attempt < kActiveSets + 4 * claims; ++attempt) {
    const Newton outcome = newton(precision, kDirectSteps);
    if (outcome == Newton::kFailed) {
      return false;
    }
    if (outcome == Newton::kExchanged) {
      continue;
    }
    for (Eigen::Index i = 0; i < static_cast<Eigen::Index>(support_.size()); ++i) {
      if (!(weight_[i] > kVanishing * prior_[i])) {
        return false;
      }
    }
    if (drop_wrong_sign_multipliers()) {
      continue;
    }
    price_others();
    const std::size_t before = active_.size();
    double most = kSlack;
    for (int k = 0; k < claims; ++k) {
      int& side = end_[k];
      const double off = std::max(low_[k] - price_[k], price_[k] - high_[k]);
      if (off <= most || side != 0 || is_point(k)) {
        continue;
      }
      if (!together) {
        most = off;
        if (active_.size() > before) {
          end_[active_.back()] = 0;
          active_.pop_back();
        }
      }
      side = price_[k] < low_[k] ? -1 : 1;
      active_.push_back(k);
    }
    if (active_.size() == before) {
      if (precision <= kRounding) {
        publish();
        return true;
      }
      precision = kRounding;
    }
  }
  return false;
}

bool InformationProjection::is_sharp() const {
  double sum = 0.0;
  for (const int k : active_) {
    sum += std::abs(lambda_[k]);
  }
  return sum <= kLargest || support_.size() <= 1;
}

}  // namespace kpm
