#include "mechanisms/competitive/point.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "book/staircase.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

/// The first rung whose demand is not above the given one.
int rung_of(const Ladder& ladder, double demand) {
  return std::min(static_cast<int>(ladder.demand.first_within(demand)), ladder.rungs() - 1);
}

}  // namespace

double Auction::value(int k, double demand) const {
  const Ladder& steps = ladder(k);
  const auto l = static_cast<std::size_t>(rung_of(steps, demand));
  return l == 0 ? steps.value[0] : steps.value[l] + steps.limit[l - 1] * (demand - steps.demand[l]);
}

void Auction::find_pieces(const ArrayView& price, AuctionPoint& point) const {
  point.piece.resize(static_cast<std::size_t>(market.claims()));
  for (int k = 0; k < market.claims(); ++k) {
    const Ladder& steps = ladder(k);
    const int rung = rung_of(steps, point.demand[k]);
    int& piece = point.piece[static_cast<std::size_t>(k)];
    piece = 2 * rung;
    const auto l = static_cast<std::size_t>(rung);
    if (rung > 0) {
      const double share =
          (point.demand[k] - steps.demand[l]) / (steps.demand[l - 1] - steps.demand[l]);
      // The price on its way to the next limit against the demand on its way to the step's end:
      // shares of both, as in a large book either is small whatever the other is.
      const double above = price[k] - steps.limit[l - 1];
      const double next = above > 0.0 ? (l < steps.limit.size() ? steps.limit[l] : 1.0)
                                      : (l > 1 ? steps.limit[l - 2] : 0.0);
      const double off = std::max(kAuctionStepEnd, above / (next - steps.limit[l - 1]));
      const double until = above > 0.0 ? share : 1.0 - share;
      if (until > off && std::min(share, 1.0 - share) > kAuctionStepEnd) {
        piece = 2 * rung - 1;
      } else if (share > 0.5) {
        piece = 2 * rung - 2;
      }
    }
    if (piece % 2 == 0) {
      point.demand[k] = steps.demand[static_cast<std::size_t>(piece / 2)];
    }
  }
}

void Auction::judge(MakerFunction& function, AuctionPoint& point) const {
  point.cost = function.evaluate(losses(point.demand));
  point.objective = -point.cost;
  point.bound = function.conjugate(point.g, point.p) + (point.g * market.inventory).sum();
  for (int k = 0; k < market.claims(); ++k) {
    const Ladder& steps = ladder(k);
    point.objective += value(k, point.demand[k]);
    const double price = market.payoffs.row(k).dot(point.g.matrix());
    const auto l = static_cast<std::size_t>(steps.rung(price));
    point.bound += steps.value[l] - price * steps.demand[l];
  }
}

double missed_by(const Auction& auction, const AuctionPoint& point, int k) {
  const Figures& limit = auction.ladder(k).limit;
  const int piece = point.piece[static_cast<std::size_t>(k)];
  const auto l = static_cast<std::size_t>(piece / 2);
  const double price = auction.market.payoffs.row(k).dot(point.g.matrix());
  const double low = Staircase::is_step(piece) ? limit[l] : l > 0 ? limit[l - 1] : 0.0;
  const double high = l < limit.size() ? limit[l] : 1.0;
  return std::max({0.0, low - price, price - high});
}

double missed_by(const Auction& auction, const AuctionPoint& point) {
  double most = 0.0;
  for (int k = 0; k < auction.market.claims(); ++k) {
    most = std::max(most, missed_by(auction, point, k));
  }
  return most;
}

}  // namespace kpm
