#include "mechanisms/maker_optimal/tradable_book.hpp"

#include <algorithm>
#include <cmath>

#include "mechanisms/levels.hpp"
#include "mechanisms/netting.hpp"
#include "numerics/checkpoint.hpp"
#include "numerics/entropy.hpp"
#include "numerics/tolerances.hpp"
#include "prices/information_projection.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

namespace {

constexpr double kPays = 64.0;         // the notional must fall by this factor
constexpr double kResolved = 1e4;      // times what trades: a notional beside which it still counts
constexpr double kRoom = 2.0;          // times the most that could trade: no optimum exceeds it
constexpr double kSumRounding = 1e-9;  // of a sum of notionals: more than that
constexpr std::size_t kParts = 8;      // of a price range that a cut's bound tells apart, about
constexpr int kThresholds = 6;
constexpr int kHalvings = 30;
// Of the way to the end of the price range; the narrow ones where the others do not pay.
constexpr double kMargins[] = {0x1p-2, 0x1p-5};
constexpr double kNarrowMargins[] = {0x1p-8, 0x1p-11};

/// The most that bids and offers on a limit where giants meet could trade with the maker.
struct AtLimit {
  double bids = kInfinity;  // money
  double offers = kInfinity;
};

/// State prices, and the most that could trade by them.
struct Cut {
  Array state_prices, worst_case;
  double most = 0.0;      // money: a level outside by a share m of its range trades most / m
  double notional = 0.0;  // of the book that is left
  std::vector<AtLimit> at_limit;  // (scaled claims) or empty
  std::vector<TradableBook::Meeting> meetings;
};

/// One side of a limit where giants meet.
struct Side {
  int claim = -1;  // none
  bool bids = false;
};

class Cutter {
 public:
  /// Never cuts below the floor, which would gain nothing; a cut that leaves more notional than is
  /// useful need not be found.
  Cutter(const Market& market, const std::vector<Staircase>& stairs, const std::vector<int>& met,
         double floor, double useful, StopToken& token)
      : stairs_(stairs),
        met_(met),
        floor_(floor),
        useful_(useful),
        scaled_(market, stairs, floor_),
        checkpoint_(token),
        projection_(scaled_, arena_, &checkpoint_) {
    RiskMeasure measure(scaled_, arena_);
    no_trade_ = -measure.evaluate(-scaled_.inventory);
  }

  /// The cut that leaves the least notional, or the first that leaves at most `enough`.
  Cut best(double threshold, double largest, double enough) {
    Cut best = judge(scaled_.prior);
    if (!met_.empty()) {
      best.notional = kInfinity;  // it need not lie on the limits where giants meet
    }
    improve(best, kMargins, threshold, largest);
    if (best.notional > enough) {
      improve(best, kNarrowMargins, threshold, largest);
    }
    return best;
  }

  TradableBook apply(const Cut& cut) const {
    TradableBook book;
    book.state_prices = cut.state_prices;
    book.worst_case = cut.worst_case;
    book.meetings = cut.meetings;
    book.stairs.reserve(stairs_.size());
    for (const Staircase& claim : stairs_) {
      book.stairs.push_back(claim.copy());
    }
    for (int k = 0; k < scaled_.claims(); ++k) {
      Staircase& claim = book.stairs[static_cast<std::size_t>(source(k))];
      const double price = scaled_.payoffs.row(k).dot(cut.state_prices.matrix());
      for (std::size_t l = 0; l < claim.limit.size(); ++l) {
        if (is_met(k, l)) {
          if (!cut.at_limit.empty()) {
            const AtLimit& most = cut.at_limit[static_cast<std::size_t>(k)];
            claim.buy[l] = std::min(claim.buy[l], kRoom * most.bids / claim.span());
            claim.sell[l] = std::min(claim.sell[l], kRoom * most.offers / claim.span());
          }
          continue;
        }
        const double outside = price - scaled_.price(k, claim.limit[l]);
        double& quantity = outside > 0.0 ? claim.buy[l] : claim.sell[l];
        if (outside != 0.0) {
          quantity = std::min(quantity, kRoom * cut.most / std::abs(outside) / claim.span());
        }
      }
      claim.accumulate();
      claim.volume = claim.bought[0] + claim.sold[claim.limit.size()];
    }
    return book;
  }

 private:
  int source(int k) const { return scaled_.original[static_cast<std::size_t>(k)]; }

  /// Whether giants of claim k meet on its limit l.
  bool is_met(int k, std::size_t l) const {
    return !met_.empty() && met_[static_cast<std::size_t>(source(k))] == static_cast<int>(l);
  }

  template <std::size_t N>
  void improve(Cut& best, const double (&margins)[N], double threshold, double largest) {
    for (int t = 0; t < kThresholds && threshold < largest; ++t, threshold *= kDwarfs) {
      for (const double margin : margins) {
        if (keep_outside(threshold, margin)) {
          Cut cut = judge(projection_.distribution(), {}, std::min(best.notional, useful_));
          if (cut.worst_case.size() == 0) {
            continue;
          }
          cut_meetings(threshold, margin, cut);
          if (cut.notional < best.notional) {
            best = std::move(cut);
          }
        }
      }
    }
  }

  /// The most that could trade on each side of the limits where giants meet.
  void cut_meetings(double threshold, double margin, Cut& cut) {
    if (met_.empty()) {
      return;
    }
    cut.at_limit.resize(static_cast<std::size_t>(scaled_.claims()));
    for (int k = 0; k < scaled_.claims(); ++k) {
      const int limit = met_[static_cast<std::size_t>(source(k))];
      if (limit < 0) {
        continue;
      }
      const Staircase& claim = stairs_[static_cast<std::size_t>(source(k))];
      const auto l = static_cast<std::size_t>(limit);
      AtLimit& most = cut.at_limit[static_cast<std::size_t>(k)];
      TradableBook::Meeting& meeting = cut.meetings.emplace_back();
      meeting.claim = source(k);
      meeting.limit = limit;
      for (const bool bids : {true, false}) {
        const Side side{k, bids};
        if (keep_outside(threshold, margin, side)) {
          Cut beside = judge(projection_.distribution(), side);
          const double price = scaled_.payoffs.row(k).dot(beside.state_prices.matrix());
          const double outside = price - scaled_.price(k, claim.limit[l]);
          const double whole = (bids ? claim.buy[l] : claim.sell[l]) * claim.span();
          const double tradable = beside.most / std::abs(outside);
          if ((bids ? outside : -outside) > 0.0 && kRoom * tradable < whole) {
            (bids ? most.bids : most.offers) = tradable;
            (bids ? meeting.state_prices_above : meeting.state_prices_below) =
                std::move(beside.state_prices);
            (bids ? meeting.worst_case_above : meeting.worst_case_below) =
                std::move(beside.worst_case);
          }
        }
      }
      cut.notional += std::min(claim.buy[l] * claim.span(), kRoom * most.bids) +
                      std::min(claim.sell[l] * claim.span(), kRoom * most.offers);
    }
  }

  /// Project the prior on state prices that leave every level beyond the threshold outside, or on
  /// it where giants meet; `apart`, on the given side of that limit.
  bool keep_outside(double threshold, double margin, Side apart = {}) {
    checkpoint_.pass(static_cast<double>(scaled_.claims()) * scaled_.states());
    projection_.clear();
    for (int i = 0; i < scaled_.states(); ++i) {
      projection_.add_state(i);
    }
    for (int k = 0; k < scaled_.claims(); ++k) {
      const Staircase& claim = stairs_[static_cast<std::size_t>(source(k))];
      double low = -kInfinity;
      double high = kInfinity;
      double bid = 0.0;    // the highest limit of giants, scaled
      double offer = 1.0;  // the lowest
      for (std::size_t l = 0; l < claim.limit.size(); ++l) {
        const double limit = scaled_.price(k, claim.limit[l]);
        const bool met = is_met(k, l);
        const bool split = met && apart.claim == k;
        if (split ? apart.bids : met || claim.buy[l] * claim.span() > threshold) {
          low = std::max(low, limit + margin * (1.0 - limit));
          bid = std::max(bid, limit);
        }
        if (split ? !apart.bids : met || claim.sell[l] * claim.span() > threshold) {
          high = std::min(high, limit - margin * limit);
          offer = std::min(offer, limit);
        }
      }
      if (low > high) {  // margins of the whole range overlap: they are taken of what lies between
        if (bid > offer) {
          return false;
        }
        low = bid + margin * (offer - bid);
        high = offer - margin * (offer - bid);
      }
      projection_.set_range(k, low, high);
    }
    return projection_.settle();
  }

  /// The distribution on the way from g to the prior that enters the ball of the ambiguity.
  Array nearest_in_ball(const Array& g) const {
    const Array& q = scaled_.prior;
    const auto outside = [&](const Array& p) {
      return scaled_.kind == Ambiguity::kBall && relative_entropy_of(p, q) > scaled_.ambiguity;
    };
    if (scaled_.kind == Ambiguity::kNone) {
      return q;
    }
    if (!outside(g)) {
      return g;
    }
    double in = 1.0;  // share of the prior
    double out = 0.0;
    for (int step = 0; step < kHalvings; ++step) {
      const double share = 0.5 * (in + out);
      (outside((1.0 - share) * g + share * q) ? out : in) = share;
    }
    return (1.0 - in) * g + in * q;
  }

  /// What could trade by state prices, and the notional left when the rest is cut, but for limits
  /// on which giants meet. Of those `apart`, what trades is on the side outside. Where more than
  /// `most` is left whatever the risk is, the worst case is not looked for.
  Cut judge(const ArrayView& distribution, Side apart = {}, double most = kInfinity) const {
    Cut cut;
    cut.state_prices = distribution / distribution.sum();
    const Array& g = cut.state_prices;
    double surplus = 0.0;                            // money
    std::vector<std::pair<double, double>> outside;  // of each such level: by how much, notional
    for (int k = 0; k < scaled_.claims(); ++k) {
      const Staircase& claim = stairs_[static_cast<std::size_t>(source(k))];
      const double price = scaled_.payoffs.row(k).dot(g.matrix());
      const auto take = [&](double by, double quantity) {
        const double notional = quantity * claim.span();
        if (by > 0.0) {
          outside.emplace_back(by, notional);
        } else {
          surplus -= by * notional;
          cut.notional += notional;
        }
      };
      take(price - 1.0, claim.bought[claim.limit.size()]);
      take(-price, claim.sold[0]);
      for (std::size_t l = 0; l < claim.limit.size(); ++l) {
        const double limit = scaled_.price(k, claim.limit[l]);
        if (is_met(k, l)) {
          if (apart.claim != k) {  // on the limit, but for rounding
            surplus +=
                std::abs(price - limit) * std::max(claim.buy[l], claim.sell[l]) * claim.span();
          }
          continue;
        }
        take(price - limit, claim.buy[l]);
        take(limit - price, claim.sell[l]);
      }
    }
    const auto left = [&](double tradable) {
      double sum = cut.notional;
      for (const auto& [by, notional] : outside) {
        sum += std::min(notional, kRoom * tradable / by);
      }
      return sum;
    };
    if (left(floor_) > most) {
      return cut;
    }
    cut.worst_case = nearest_in_ball(g);
    const double divergence = relative_entropy_of(g, cut.worst_case) / scaled_.risk_aversion;
    const double rounding = 1e-14 * scaled_.inventory.maxCoeff();
    const double own = (g * scaled_.inventory).sum() - no_trade_ + divergence + rounding;
    cut.most = floor_ * std::max(surplus / floor_ + own, 1.0);
    cut.notional = left(cut.most);
    return cut;
  }

  const std::vector<Staircase>& stairs_;
  const std::vector<int>& met_;
  Arena arena_;
  double floor_;
  double useful_;
  ScaledMarket scaled_;
  Checkpoint checkpoint_;
  InformationProjection projection_;
  double no_trade_ = 0.0;
};

/// What a cut leaves of a claim at least, wherever in its range the state prices value it: of a
/// level outside as much as the floor could trade, however far outside it lies in a part of the
/// range.
double least_left(const Staircase& claim, double floor) {
  const double span = claim.span();
  const std::size_t limits = claim.limit.size();
  const auto price = [&](std::size_t l) { return (claim.limit[l] - claim.price_min) / span; };
  const std::size_t step = limits / kParts + 1;
  double least = kInfinity;
  for (std::size_t part = 0; part <= limits; part += step) {
    const double low = part == 0 ? 0.0 : price(part - 1);
    const double high = part + step > limits ? 1.0 : price(part + step - 1);
    double left = 0.0;
    for (std::size_t l = 0; l < limits; ++l) {
      const double above = std::max(high - price(l), 0.0) + kPriceRounding;
      const double below = std::max(price(l) - low, 0.0) + kPriceRounding;
      left += std::min(claim.buy[l] * span, kRoom * floor / above) +
              std::min(claim.sell[l] * span, kRoom * floor / below);
    }
    least = std::min(least, left);
  }
  return least;
}

/// The whole book, giants of each claim netted; empty where none meet.
struct NettedBook {
  NettedBook(const std::vector<Staircase>& whole, double threshold) {
    for (std::size_t k = 0; k < whole.size(); ++k) {
      if (!(whole[k].span() > 0.0)) {
        continue;
      }
      if (std::optional<Netting> net = net_giants(whole[k], threshold / whole[k].span())) {
        if (stairs.empty()) {
          for (const Staircase& claim : whole) {
            stairs.push_back(claim.copy());
          }
          met.assign(whole.size(), -1);
        }
        stairs[k] = std::move(net->staircase);
        met[k] = net->limit;
      }
    }
  }

  std::vector<Staircase> stairs;
  std::vector<int> met;
};

}  // namespace

double least_left(const std::vector<Staircase>& stairs, double floor) {
  double sum = 0.0;
  for (const Staircase& claim : stairs) {
    sum += claim.span() > 0.0 ? least_left(claim, floor) : 0.0;
  }
  return (1.0 - kSumRounding) * sum;
}

double TradableBook::notional() const {
  double sum = 0.0;
  for (const Staircase& claim : stairs) {
    sum += claim.span() * claim.volume;
  }
  return sum;
}

std::optional<TradableBook> tradable_book(const Market& market,
                                          const std::vector<Staircase>& stairs, StopToken& token,
                                          double traded) {
  const Levels levels(market, stairs);
  const double threshold = traded > 0.0 ? kDwarfs * traded : levels.giant();
  if (levels.largest <= threshold) {
    return std::nullopt;
  }
  double whole = 0.0;
  for (const double level : levels.notional) {
    whole += level;
  }
  NettedBook netted(stairs, threshold);
  const double floor = traded > 0.0 ? traded : std::min(levels.smaller_half(), threshold / kDwarfs);
  constexpr double kOfALevel = 18.0;  // divisions
  if (token.poll(kOfALevel * static_cast<double>(levels.notional.size()))) {
    return std::nullopt;
  }
  if (netted.stairs.empty() && kPays * least_left(stairs, floor) > whole) {
    return std::nullopt;
  }
  const std::vector<Staircase>& seen = netted.stairs.empty() ? stairs : netted.stairs;
  Cutter cutter(market, seen, netted.met, floor, whole / kPays, token);
  try {
    // Until it is known what trades, the first cut is enough.
    const double enough = traded > 0.0 ? std::min(whole / kPays, kResolved * traded) : kInfinity;
    const Cut cut = cutter.best(threshold, levels.largest, enough);
    if (kPays * cut.notional <= whole) {
      TradableBook book = cutter.apply(cut);
      book.netted = std::move(netted.stairs);
      return book;
    }
  } catch (const Abandoned&) {
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace kpm
