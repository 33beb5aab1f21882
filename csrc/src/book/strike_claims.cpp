#include "book/strike_claims.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "kpm/kpm.hpp"

namespace kpm {

namespace {

// How far a payoff, between 0 and 1, may lie off its line: what printing it with ten digits does.
// A step that is off by as much is corrected by the next.
constexpr double kOffLine = 1e-9;

// What rounding makes of payoffs on a line through a hundredth of the states.
constexpr double kExact = 1e-13;

// Claims that carry the index on, one after the other, at most: a put or two in a chain.
constexpr int kCarriers = 8;

/// The levels of an index, found from claims that pay along it on one side: the one of them that
/// does in most states measures it there, and others carry it on. What only others pay along lies
/// on the other side, and states in which none does lie between. Where nobody else goes on, one
/// that may pay along it on both sides does: a forward, if it is not a straddle.
class Levels {
 public:
  explicit Levels(const Matrix& payoffs) : payoffs_(payoffs) {
    const auto states = static_cast<std::size_t>(payoffs.cols());
    level_.assign(states, 0.0);
    known_.assign(states, 0);
    for (Eigen::Index k = 0; k < payoffs.rows(); ++k) {
      const double* const row = &payoffs(k, 0);
      const auto zeros = std::count(row, row + payoffs.cols(), 0.0);
      const auto ones = std::count(row, row + payoffs.cols(), 1.0);
      flat_.push_back(zeros >= ones ? 0.0 : 1.0);
      one_sided_.push_back(std::max(zeros, ones) > 1 ? 1 : 0);
    }
    for (const double side : {1.0, -1.0}) {
      measure(side);
      for (int n = 0; n < kCarriers && (carry_on(true) || carry_on(false)); ++n) {
      }
    }
  }

  const std::vector<double>& get() const { return level_; }

 private:
  bool pays(Eigen::Index k, Eigen::Index i) const {
    return payoffs_(k, i) != flat_[static_cast<std::size_t>(k)];
  }
  bool one_sided(Eigen::Index k) const { return one_sided_[static_cast<std::size_t>(k)] != 0; }
  bool known(Eigen::Index i) const { return known_[static_cast<std::size_t>(i)] != 0; }

  /// The states in which a claim pays, those with a known level and the others.
  struct Counts {
    Eigen::Index known = 0, unknown = 0;
  };
  Counts count(Eigen::Index k) const {
    Counts counts;
    for (Eigen::Index i = 0; i < payoffs_.cols(); ++i) {
      if (pays(k, i)) {
        ++(known(i) ? counts.known : counts.unknown);
      }
    }
    return counts;
  }

  void set(Eigen::Index i, double level) {
    level_[static_cast<std::size_t>(i)] = level;
    known_[static_cast<std::size_t>(i)] = 1;
  }

  void measure(double side) {
    Eigen::Index by = -1;
    Eigen::Index most = 1;
    for (Eigen::Index k = 0; k < payoffs_.rows(); ++k) {
      const Counts counts = count(k);
      if (one_sided(k) && counts.known == 0 && counts.unknown > most) {
        most = counts.unknown;
        by = k;
      }
    }
    for (Eigen::Index i = 0; by >= 0 && i < payoffs_.cols(); ++i) {
      if (pays(by, i)) {
        set(i, side * std::abs(payoffs_(by, i) - flat_[static_cast<std::size_t>(by)]));
      }
    }
  }

  /// A line through what a claim pays in the known states in which it pays along the index.
  struct Carrier {
    Eigen::Index low = -1;
    double way = 0.0;  // along the index, for each unit of payoff
  };
  Carrier carrier(Eigen::Index k) const {
    Carrier by;
    Eigen::Index high = -1;
    for (Eigen::Index i = 0; i < payoffs_.cols(); ++i) {
      if (pays(k, i) && known(i)) {
        by.low = by.low < 0 || level(i) < level(by.low) ? i : by.low;
        high = high < 0 || level(i) > level(high) ? i : high;
      }
    }
    const double rise = payoffs_(k, high) - payoffs_(k, by.low);
    by.way = rise != 0.0 ? (level(high) - level(by.low)) / rise : 0.0;
    for (Eigen::Index i = 0; i < payoffs_.cols(); ++i) {
      if (pays(k, i) && known(i) && std::abs(level(i) - at(by, k, i)) > kOffLine) {
        by.way = 0.0;
      }
    }
    return by;
  }
  double at(const Carrier& by, Eigen::Index k, Eigen::Index i) const {
    return level(by.low) + by.way * (payoffs_(k, i) - payoffs_(k, by.low));
  }

  bool carry_on(bool by_one_sided) {
    Eigen::Index by = -1;
    Counts most;
    Carrier best;
    for (Eigen::Index k = 0; k < payoffs_.rows(); ++k) {
      const Counts counts = count(k);
      if (one_sided(k) == by_one_sided && counts.known > 1 && counts.unknown > 0 &&
          std::pair(counts.unknown, counts.known) > std::pair(most.unknown, most.known)) {
        const Carrier carries = carrier(k);
        if (carries.way != 0.0) {
          most = counts;
          best = carries;
          by = k;
        }
      }
    }
    for (Eigen::Index i = 0; by >= 0 && i < payoffs_.cols(); ++i) {
      if (pays(by, i) && !known(i)) {
        set(i, at(best, by, i));
      }
    }
    return by >= 0;
  }

  double level(Eigen::Index i) const { return level_[static_cast<std::size_t>(i)]; }

  const Matrix& payoffs_;
  std::vector<double> flat_;  // (claims) what one that does not pay along the index pays
  std::vector<double> level_;
  std::vector<char> one_sided_, known_;
};

/// A claim's payoffs from one end of the index on, as far as they lie on a line.
class Run {
 public:
  Run(const std::vector<double>& level, const double* payoffs, const std::vector<int>& states,
      bool downwards)
      : level_(level), payoffs_(payoffs), states_(states), downwards_(downwards) {
    double least = -kInfinity;
    double most = kInfinity;
    const auto all = static_cast<int>(states.size());
    for (length_ = 1; length_ < all; ++length_) {
      const double way = std::abs(at(length_) - at(0));
      const double rise = payoff(length_) - payoff(0);
      if (way == 0.0 ? std::abs(rise) > kOffLine
                     : rise - kOffLine > most * way || rise + kOffLine < least * way) {
        break;
      }
      if (way > 0.0) {
        least = std::max(least, (rise - kOffLine) / way);
        most = std::min(most, (rise + kOffLine) / way);
      }
    }
  }

  int length() const { return length_; }

  /// The line through both ends of its first `length` states, from the last of them on.
  StrikeClaims::Line line(int length) const {
    if (length == 0) {
      return {};
    }
    const double way = at(length - 1) - at(0);
    const double rise = payoff(length - 1) - payoff(0);
    return {payoff(length - 1), way != 0.0 ? rise / way : 0.0};
  }

 private:
  std::size_t place(int n) const {
    return downwards_ ? states_.size() - 1 - static_cast<std::size_t>(n)
                      : static_cast<std::size_t>(n);
  }
  double at(int n) const { return level_[place(n)]; }
  double payoff(int n) const { return payoffs_[states_[place(n)]]; }

  const std::vector<double>& level_;  // by place
  const double* payoffs_;
  const std::vector<int>& states_;
  bool downwards_;
  int length_ = 0;
};

}  // namespace

StrikeClaims::StrikeClaims(const Matrix& payoffs) {
  const std::vector<double> level = Levels(payoffs).get();
  std::vector<std::pair<double, int>> sorted;  // of equals the earlier first
  sorted.reserve(std::max(level.size(), static_cast<std::size_t>(payoffs.rows())));
  for (const double of_state : level) {
    sorted.emplace_back(of_state, static_cast<int>(sorted.size()));
  }
  std::sort(sorted.begin(), sorted.end());
  const double lowest = sorted.front().first;
  const double range = sorted.back().first - lowest;
  std::vector<int> states;
  states.reserve(level.size());
  levels_.reserve(level.size());
  for (const auto& [of_state, state] : sorted) {
    states.push_back(state);
    levels_.push_back(range > 0.0 ? (of_state - lowest) / range : 0.0);
  }
  sorted.clear();
  claims_.reserve(static_cast<std::size_t>(payoffs.rows()));
  for (int k = 0; k < payoffs.rows(); ++k) {
    const Run above(levels_, &payoffs(k, 0), states, true);
    const Run below(levels_, &payoffs(k, 0), states, false);
    Claim claim;
    claim.strike = static_cast<int>(states.size()) - above.length();
    if (below.length() < claim.strike) {
      *this = {};
      return;
    }
    claim.above = above.line(above.length());
    claim.below = below.line(claim.strike);
    claims_.push_back(claim);
    sorted.emplace_back(claim.strike, k);
  }
  std::sort(sorted.begin(), sorted.end());
  order_.reserve(sorted.size());
  for (const auto& [strike, k] : sorted) {
    order_.push_back(k);
  }
  states_ = std::move(states);
  off_ = Array::Zero(payoffs.rows());
  for (int k = 0; k < payoffs.rows(); ++k) {
    for (Eigen::Index place = 0; place < this->states(); ++place) {
      const double off = payoff(claim(k), place) - payoffs(k, state(place));
      off_[k] = std::max(off_[k], std::abs(off));
    }
  }
  exact_ = off_.maxCoeff() <= kExact;
}

void StrikeClaims::apply(const ArrayView& x, Eigen::Ref<Array> out) const {
  // Sums of x on one side of a strike, and of x times the way from the state next to it.
  double sum = 0.0;
  double moment = 0.0;
  auto at = order_.begin();
  for (Eigen::Index place = 0; place <= states(); ++place) {
    for (; at != order_.end() && claim(*at).strike == place; ++at) {
      const Line& line = claim(*at).below;
      out[*at] = line.value * sum + line.slope * moment;
    }
    if (place < states()) {
      moment -= place > 0 ? gap(place - 1) * sum : 0.0;
      sum += x[state(place)];
    }
  }
  sum = moment = 0.0;
  auto down = order_.rbegin();
  for (Eigen::Index place = states(); place >= 0; --place) {
    if (place < states()) {
      moment += gap(place) * sum;
      sum += x[state(place)];
    }
    for (; down != order_.rend() && claim(*down).strike == place; ++down) {
      const Line& line = claim(*down).above;
      out[*down] += line.value * sum + line.slope * moment;
    }
  }
}

void StrikeClaims::apply_transposed(const ArrayView& y, Eigen::Ref<Array> out) const {
  Line sum;
  auto at = order_.begin();
  for (Eigen::Index place = 0; place < states(); ++place) {
    sum.value += place > 0 ? gap(place - 1) * sum.slope : 0.0;
    for (; at != order_.end() && claim(*at).strike == place; ++at) {
      sum.value += y[*at] * claim(*at).above.value;
      sum.slope += y[*at] * claim(*at).above.slope;
    }
    out[state(place)] = sum.value;
  }
  sum = {};
  auto down = order_.rbegin();
  for (Eigen::Index place = states() - 1; place >= 0; --place) {
    sum.value -= gap(place) * sum.slope;
    for (; down != order_.rend() && claim(*down).strike == place + 1; ++down) {
      sum.value += y[*down] * claim(*down).below.value;
      sum.slope += y[*down] * claim(*down).below.slope;
    }
    out[state(place)] += sum.value;
  }
}

double StrikeClaims::least_owed(const ArrayView& y) const {
  Array owed(states());
  apply_transposed(y, owed);
  return owed.minCoeff() - (off_ * y.abs()).sum();
}

}  // namespace kpm
