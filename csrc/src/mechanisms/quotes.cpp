#include "mechanisms/quotes.hpp"

#include <algorithm>
#include <cmath>

namespace kpm {

namespace {

constexpr double kFarthest = 1e60;  // money: from here on a trade is unlimited
constexpr double kNearest = 1e-300;
constexpr double kStride = 16.0;
constexpr int kIterations = 200;
constexpr double kRounding = 2e-15;  // of the payoffs: a price this near to one of them is there

}  // namespace

QuoteEngine::QuoteEngine(Maker& maker) : maker_(maker), change_(Array::Zero(maker.states())) {}

void QuoteEngine::marginal(const Eigen::Map<const Matrix>& payoffs, double* bid, double* ask) {
  maker_.marginal_quotes(payoffs.data(), payoffs.rows(), bid, ask);
}

void QuoteEngine::blocks(const Eigen::Map<const Matrix>& payoffs,
                         const Eigen::Map<const Matrix>& quantities, double* bid, double* ask) {
  const Eigen::Index sizes = quantities.cols();
  for (Eigen::Index k = 0; k < payoffs.rows(); ++k, bid += sizes, ask += sizes) {
    const double* const shares = quantities.data() + k * sizes;
    if (!maker_.block_costs(payoffs.data() + k * maker_.states(), shares, sizes, bid, ask)) {
      for (Eigen::Index size = 0; size < sizes; ++size) {
        change_ = shares[size] * payoffs.row(k).transpose().array();
        ask[size] = maker_.increment(change_);
        change_ = -change_;
        bid[size] = -maker_.increment(change_);
      }
    }
    for (Eigen::Index size = 0; size < sizes; ++size) {
      ask[size] = ask[size] / shares[size] + 0.0;  // never -0
      bid[size] = bid[size] / shares[size] + 0.0;
    }
  }
}

TradeSize::TradeSize(Maker& maker, const ArrayView& losses, const ArrayView& payoff)
    : maker_(maker),
      losses_(losses),
      payoff_(payoff),
      change_(Array::Zero(payoff.size())),
      prices_(Array::Zero(payoff.size())),
      largest_(payoff.abs().maxCoeff()) {
  maker_.set_losses(losses_);
}

double TradeSize::cost(double x) {
  change_ = x * payoff_;
  // Asking for prices makes it take the last step, too: payments of many trades must add up.
  return maker_.increment(change_, &prices_);
}

/// One subgradient's price of the claim after x shares: C' from one side or between both.
double TradeSize::price_at(double x) {
  change_ = x * payoff_;
  maker_.increment(change_, &prices_);
  return dot(prices_.data(), payoff_.data(), payoff_.size());
}

/// sup {0 < x <= most : function(x) <= 0} for a function that is positive from there on: brackets
/// by strides, then Chandrupatla's method. Where the function jumps it closes in on the jump.
template <class Function>
double TradeSize::last_below(Function&& function, double most) {
  const double farthest = largest_ > 0.0 ? std::min(most, kFarthest / largest_) : 0.0;
  double low = 0.0;
  double high = 1.0;
  if (std::isfinite(most)) {
    if (function(most) <= 0.0) {
      return most;
    }
    high = most;
  }
  double of_high = function(high);
  double of_low = 0.0;
  if (of_high <= 0.0) {
    while (of_high <= 0.0) {
      low = high;
      of_low = of_high;
      if (high >= farthest) {
        return kInfinity;
      }
      high *= kStride;
      of_high = function(high);
    }
  } else {
    while (true) {
      low = high / kStride;
      if (low < kNearest) {
        return 0.0;
      }
      of_low = function(low);
      if (of_low <= 0.0) {
        break;
      }
      high = low;
      of_high = of_low;
    }
  }
  // a is the newest point, b the other end of the bracket, c the point before.
  double a = high;
  double of_a = of_high;
  double b = low;
  double of_b = of_low;
  double c = a;
  double of_c = of_a;
  double share = 0.5;
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const double x = a + share * (b - a);
    const double of_x = function(x);
    if ((of_x <= 0.0) == (of_a <= 0.0)) {
      c = a;
      of_c = of_a;
    } else {
      c = b;
      of_c = of_b;
      b = a;
      of_b = of_a;
    }
    a = x;
    of_a = of_x;
    const double width = std::abs(b - a);
    const double tolerance = 4.5e-16 * std::max(std::abs(a), std::abs(b));
    if (width <= tolerance || of_a == 0.0) {
      break;
    }
    const double xi = (a - b) / (c - b);
    const double phi = (of_a - of_b) / (of_c - of_b);
    if (phi * phi < xi && (1.0 - phi) * (1.0 - phi) < 1.0 - xi) {
      share = of_a / (of_b - of_a) * of_c / (of_b - of_c) +
              (c - a) / (b - a) * of_a / (of_c - of_a) * of_b / (of_c - of_b);
    } else {
      share = 0.5;
    }
    const double edge = std::min(0.5 * tolerance / width, 0.5);
    share = std::clamp(share, edge, 1.0 - edge);
  }
  return of_a <= 0.0 ? a : b;
}

double TradeSize::to_price(double price, double most) {
  if (maker_.slope(payoff_) > price) {
    return 0.0;
  }
  if (price >= payoff_.maxCoeff()) {
    return most;
  }
  return last_below([&](double x) { return price_at(x) - price; }, most);
}

double TradeSize::to_budget(double budget) {
  return last_below([&](double x) { return cost(x) - budget; }, kInfinity);
}

/// Each state's loss is concave in x, so that its tangent meets the limit before it does: Newton's
/// method on the first state to get there, from the left.
double TradeSize::to_loss(double loss) {
  if (losses_.maxCoeff() > loss) {
    return 0.0;
  }
  double x = 0.0;
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    double paid = 0.0;
    double price = 0.0;
    if (x > 0.0) {
      change_ = x * payoff_;
      paid = maker_.increment(change_, &prices_);
      price = dot(prices_.data(), payoff_.data(), payoff_.size());
    } else {
      price = maker_.slope(payoff_);
    }
    double step = kInfinity;
    for (Eigen::Index i = 0; i < payoff_.size(); ++i) {
      const double rise = payoff_[i] - price;
      const double room = loss - (losses_[i] + x * payoff_[i] - paid);
      if (rise > kRounding * largest_) {
        step = std::min(step, std::max(room, 0.0) / rise);
      }
    }
    if (!(x + step < kFarthest / largest_)) {
      return kInfinity;
    }
    if (!(step > 4.5e-16 * x)) {
      return x;
    }
    x += step;
  }
  return x;
}

double TradeSize::last_price(double x) {
  change_ = losses_ + x * payoff_;
  maker_.set_losses(change_);
  change_ = -payoff_;
  return -maker_.slope(change_);
}

}  // namespace kpm
