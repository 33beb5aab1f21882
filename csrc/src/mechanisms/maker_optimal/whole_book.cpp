#include "mechanisms/maker_optimal/whole_book.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "numerics/tolerances.hpp"

namespace kpm {

WholeBook::WholeBook(const ScaledMarket& market, const std::vector<Staircase>& stairs,
                     const TradableBook& tradable)
    : market_(market),
      tradable_(tradable),
      corners_(find_corners(market, stairs)),
      limits_(corners_.size()) {
  for (std::size_t k = 0; k < limits_.size(); ++k) {
    note(k, market.original[k], stairs, false, {});
  }
}

WholeBook::WholeBook(const Presolve& book, const ScaledMarket& full,
                     const std::vector<Staircase>& stairs, const TradableBook& tradable)
    : market_(book.market()),
      tradable_(tradable),
      corners_(book.corners_apart(full, stairs)),
      limits_(corners_.size()) {
  for (std::size_t k = 0; k < limits_.size(); ++k) {
    for (const Presolve::Member& member : book.members(static_cast<int>(k))) {
      const int source = full.original[static_cast<std::size_t>(member.claim)];
      note(k, source, stairs, member.complement, member.apart);
    }
  }
}

void WholeBook::note(std::size_t k, int source, const std::vector<Staircase>& whole,
                     bool complement, const std::vector<int>& places) {
  const Staircase& before = whole[static_cast<std::size_t>(source)];
  const Staircase& after = tradable_.stairs[static_cast<std::size_t>(source)];
  const std::size_t count = before.limit.size();
  CutLimits& cut = limits_[k];
  for (std::size_t l = 0; l < count; ++l) {
    const int place = places.empty() ? static_cast<int>(l) : places[complement ? count - 1 - l : l];
    const auto meets = [&](const TradableBook::Meeting& meeting) {
      return meeting.claim == source && meeting.limit == static_cast<int>(l);
    };
    const auto meeting = std::find_if(tradable_.meetings.begin(), tradable_.meetings.end(), meets);
    if (meeting != tradable_.meetings.end()) {
      const Mixture above{meeting->state_prices_above, meeting->worst_case_above};
      const Mixture below{meeting->state_prices_below, meeting->worst_case_below};
      met_.push_back(
          {static_cast<int>(k), place, complement ? below : above, complement ? above : below});
      continue;
    }
    const bool buy = after.buy[l] < before.buy[l];
    const bool sell = after.sell[l] < before.sell[l];
    if (complement ? sell : buy) {
      cut.bids = std::max(cut.bids, place);
    }
    if (complement ? buy : sell) {
      cut.offers = cut.offers < 0 ? place : std::min(cut.offers, place);
    }
  }
}

std::vector<Box> WholeBook::parts(const Box& box, const Array& marginal) const {
  std::vector<Box> parts;
  Box rest = box;
  const auto take = [&](int claim, int first, int last) {  // these pieces, at one end of the rest's
    const auto at = static_cast<std::size_t>(claim);
    int& from = rest.first[at];
    int& to = rest.last[at];
    if (std::max(first, from) > std::min(last, to) || (first <= from && last >= to)) {
      return;
    }
    parts.push_back(rest);
    parts.back().first[at] = std::max(first, from);
    parts.back().last[at] = std::min(last, to);
    (first <= from ? from : to) = first <= from ? last + 1 : first - 1;
  };
  // Of how much the value of a claim exceeds the price of a corner.
  const auto above = [&](int claim, int corner) {
    const double price =
        corners_[static_cast<std::size_t>(claim)].price[static_cast<std::size_t>(corner)];
    return market_.payoffs.row(claim).dot(marginal.matrix()) - price;
  };
  for (const Met& met : met_) {
    const int step = 2 * met.place + 1;
    const double beyond = above(met.claim, step);
    if (beyond < 0.0) {
      take(met.claim, 0, step);
    } else if (beyond > 0.0) {
      take(met.claim, step, rest.last[static_cast<std::size_t>(met.claim)]);
    }
  }
  for (int k = 0; k < market_.claims(); ++k) {
    const CutLimits& cut = limits_[static_cast<std::size_t>(k)];
    if (cut.bids >= 0 && above(k, 2 * cut.bids + 1) < kPriceRounding) {
      take(k, 0, 2 * cut.bids + 1);
    }
    if (cut.offers >= 0 && above(k, 2 * cut.offers + 2) > -kPriceRounding) {
      take(k, 2 * cut.offers + 1, rest.last[static_cast<std::size_t>(k)]);
    }
  }
  parts.push_back(std::move(rest));
  return parts;
}

void WholeBook::support(const Box& box, Array& worst_case, Array& marginal, Array& lambda) const {
  const double of_cut = share(box, marginal);
  if (of_cut > 0.0) {
    marginal = (1.0 - of_cut) * marginal + of_cut * tradable_.state_prices;
    worst_case = (1.0 - of_cut) * worst_case + of_cut * tradable_.worst_case;
    lambda *= 1.0 - of_cut;
  }
  // What lies off one such limit lies on the others: one after the other is enough.
  for (const Met& met : met_) {
    const auto at = static_cast<std::size_t>(met.claim);
    const auto row = market_.payoffs.row(met.claim);
    const auto reach = [&](int corner, double sign, const Mixture& beside) {
      const double price = corners_[at].price[static_cast<std::size_t>(corner)];
      const double value = row.dot(marginal.matrix());
      if (sign * (price - value) > 0.0 && beside.state_prices.size() > 0) {
        const double there = row.dot(beside.state_prices.matrix());
        const double of_it = std::min((price - value) / (there - value), 1.0);
        marginal = (1.0 - of_it) * marginal + of_it * beside.state_prices;
        worst_case = (1.0 - of_it) * worst_case + of_it * beside.worst_case;
        lambda *= 1.0 - of_it;
      }
    };
    const int bids = std::min(box.last[at] + 1, 2 * met.place + 1);
    if (bids >= box.first[at]) {
      reach(bids, 1.0, met.above);
    }
    const int offers = std::max(box.first[at], 2 * met.place + 2);
    if (offers <= box.last[at] + 1) {
      reach(offers, -1.0, met.below);
    }
  }
}

/// Of the cut's (g, p), so that every corner of the box with a cut quantity in its demand lies
/// outside.
double WholeBook::share(const Box& box, const Array& marginal) const {
  double share = 0.0;
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const double value = market_.payoffs.row(k).dot(marginal.matrix());
    const double wanted = market_.payoffs.row(k).dot(tradable_.state_prices.matrix());
    const auto keep_outside = [&](int corner, double sign) {
      const double price = corners_[at].price[static_cast<std::size_t>(corner)];
      const double missing = sign * (price - value) + kPriceRounding;
      if (missing > 0.0) {
        share = std::max(share, std::min(missing / std::abs(wanted - value), 1.0));
      }
    };
    const int bids = std::min(box.last[at] + 1, 2 * limits_[at].bids + 1);
    if (limits_[at].bids >= 0 && bids >= box.first[at]) {
      keep_outside(bids, 1.0);
    }
    const int offers = std::max(box.first[at], 2 * limits_[at].offers + 2);
    if (limits_[at].offers >= 0 && offers <= box.last[at] + 1) {
      keep_outside(offers, -1.0);
    }
  }
  return share;
}

}  // namespace kpm
