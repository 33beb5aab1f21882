#include "mechanisms/maker_optimal/warm_start.hpp"

#include <algorithm>
#include <cmath>

#include "mechanisms/maker_optimal/cell_bound.hpp"
#include "numerics/arena.hpp"
#include "numerics/checkpoint.hpp"
#include "numerics/near_ties.hpp"
#include "numerics/tolerances.hpp"
#include "search/local_search.hpp"
#include "search/tree/branch_and_bound.hpp"
#include "search/tree/tangent_bound.hpp"

namespace kpm {

namespace {

// So often the cell that was best may give way to a better one next to it.
constexpr int kMostClimbed = 2;

constexpr std::int64_t kWorthTrying = 4;  // cells of a search: one of fewer takes hardly longer
constexpr int kLongestRest = 6;           // 2^(this - 1) clearings, less one

// Where the support of one cell bounds the whole book, a search comes to that cell in its first
// nodes: five at most in all books measured. Within so many it has ended.
constexpr std::int64_t kManyNodes = 64;

constexpr int kFewPieces = 4;            // beside a step that the multipliers need not tell from it
constexpr double kInsideFlat = 1e-9;     // of its width
constexpr double kFirmer = 1.1 * kFirm;  // what the selection takes for firm, and more
constexpr double kProved = 0.9 * kTie;   // so that a search, with its own rounding, proves it, too

}  // namespace

bool WarmStart::allowed(const ClearSettings& settings) const {
  const bool limited =
      settings.node_limit != 0 && (settings.node_limit != nodes_ || nodes_ < kManyNodes);
  return settings.method == Method::kBranchAndBound && !limited && !settings.certificate &&
         settings.polls == nullptr && !settings.monitor && settings.tolerance < kFineTolerance;
}

bool WarmStart::wants_to_try() {
  if (!known_ || cells_ < kWorthTrying) {
    return false;
  }
  if (rest_ > 0) {
    --rest_;
    return false;
  }
  return true;
}

void WarmStart::fail() {
  failures_ = std::min(failures_ + 1, kLongestRest);
  rest_ = (1 << (failures_ - 1)) - 1;
}

void WarmStart::keep(const CanonicalBook& book, const ScaledMarket& market, const Choice& choice,
                     const std::vector<double>& prices) {
  places_.assign(book.claims().size(), Place{});
  for (int k = 0; k < market.claims(); ++k) {
    const auto source = static_cast<std::size_t>(market.original[static_cast<std::size_t>(k)]);
    const int piece = choice.cell[static_cast<std::size_t>(k)];
    const Piece range = book.stairs()[source].piece(piece);
    Place& place = places_[static_cast<std::size_t>(book.claims()[source])];
    place.known = true;
    place.step = Staircase::is_step(piece);
    place.price = range.price_low;
    if (!place.step) {
      const double inset = kInsideFlat * (range.price_high - range.price_low);
      place.price = std::clamp(prices[source], range.price_low + inset, range.price_high - inset);
    }
  }
  known_ = true;
}

std::optional<std::vector<int>> WarmStart::cell(const CanonicalBook& book,
                                                const ScaledMarket& market,
                                                const std::vector<Corners>& corners) const {
  if (places_.size() != book.claims().size()) {
    return std::nullopt;
  }
  std::vector<int> cell(corners.size());
  for (std::size_t at = 0; at < cell.size(); ++at) {
    const auto source = static_cast<std::size_t>(market.original[at]);
    const Place& place = places_[static_cast<std::size_t>(book.claims()[source])];
    if (!place.known) {
      return std::nullopt;
    }
    const auto& limits = book.stairs()[source].limit;
    const auto found = std::lower_bound(limits.begin(), limits.end(), place.price);
    const auto below = static_cast<int>(found - limits.begin());
    const bool on_limit = found != limits.end() && *found == place.price;
    cell[at] = 2 * below + (on_limit ? 1 : 0);
  }
  return cell;
}

Found resume(const CanonicalBook& book, const ScaledMarket& market, Presolve& presolved,
             const ClearSettings& settings, const WarmStart& warm, StopToken& token) {
  Found nothing;
  nothing.coarse = true;
  if (!presolved.same_claims() || !goes_on_to_the_end(market, settings.tolerance)) {
    return nothing;
  }
  Found found;
  const std::vector<Corners>& corners = presolved.corners();
  const std::optional<std::vector<int>> cell = warm.cell(book, market, corners);
  if (!cell) {
    return nothing;
  }
  try {
    Arena arena;
    Checkpoint checkpoint(token);
    LocalSearch search(presolved.market(), corners, arena, checkpoint);
    search.solve(*cell, found.candidates);
    for (int climbed = 0; !found.candidates.empty(); ++climbed) {
      const CellOptimum& best = *found.candidates.back().optimum;
      const Multipliers support = multipliers_of(
          market, best.worst_case, best.marginal_state_prices, best.multipliers, best.divergence);
      found.upper_bound = support.bound(corners);
      if (found.upper_bound <= best.objective + kTie) {
        break;
      }
      const double before = best.objective;
      if (climbed == kMostClimbed || !(search.climb_once(found.candidates) > before)) {
        return nothing;
      }
    }
    found.progress.nodes = 1;  // the first, fathomed by a cell
    found.progress.solved = search.cells();
    found.iterations = search.iterations();
  } catch (const Abandoned&) {
    return nothing;
  }
  if (found.candidates.empty()) {
    return nothing;
  }
  found.candidates.erase(found.candidates.begin(), found.candidates.end() - 1);
  found.corners = presolved.release_corners();
  return found;
}

bool is_alone(const ScaledMarket& market, const std::vector<Corners>& corners, const Choice& choice,
              const Multipliers& support, double bound) {
  // Prices may miss their ranges by kPriceTolerance, and earn that.
  const double off = kPriceTolerance * support.lambda().abs().sum();
  if (!(bound + off <= choice.value + kProved)) {
    return false;
  }
  Box near = whole(corners);  // what else may be worth nearly as much lies in it
  Box steps = near;           // ... but for demand for flats that is this little off:
  double wobble = 0.0;        // money, over the states
  bool inside = false;        // demand inside a step
  for (int k = 0; k < market.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& claim = corners[at];
    const int piece = choice.cell[at];
    const int last = claim.pieces() - 1;
    const double most = support.most(k, claim, 0, last);
    // Whether all corners of some pieces are.
    const auto worse = [&](int begin, int end) {
      return begin > end || most - support.most(k, claim, begin, end) > kNearTie;
    };
    if (Staircase::is_step(piece)) {
      inside = true;
      int& first = near.first[at] = piece - 1;
      int& behind = near.last[at] = piece + 1;
      while (!worse(0, first - 1)) {
        first = first > piece - kFewPieces ? first - 1 : 0;
      }
      while (!worse(behind + 1, last)) {
        behind = behind < piece + kFewPieces ? behind + 1 : last;
      }
      steps.first[at] = first;
      steps.last[at] = behind;
      continue;
    }
    if (!worse(0, piece - 2) || !worse(piece + 2, last)) {
      return false;
    }
    double off_flat = 0.0;
    const auto firm = [&](int end, int other) {
      const auto deficit = [&](std::size_t corner) {
        return most - support.worth(k, claim.price[corner], claim.demand[corner]);
      };
      const auto here = static_cast<std::size_t>(end);
      const auto there = static_cast<std::size_t>(other);
      if (deficit(here) > kNearTie) {
        return true;  // all of the step is worse
      }
      const double lost = deficit(there) - deficit(here);
      off_flat =
          std::max(off_flat, kNearTie / lost * std::abs(claim.demand[here] - claim.demand[there]));
      return lost >= kFirmer;
    };
    if ((piece > 0 && !firm(piece, piece - 1)) || (piece < last && !firm(piece + 1, piece + 2))) {
      return false;
    }
    near.first[at] = std::max(piece - 1, 0);
    near.last[at] = std::min(piece + 1, last);
    steps.first[at] = steps.last[at] = piece;
    wobble += off_flat;
  }
  if (!inside) {
    return true;
  }
  Arena arena;
  TangentBound tangent(market, corners, arena);
  if (!tangent.support_inside(choice.demand, choice.marginal_state_prices, choice.multipliers) &&
      !tangent.support(choice.demand, choice.multipliers)) {
    return false;
  }
  tangent.set_box(steps, 0.5 * wobble);  // payoffs are shares: their deviation is at most that
  const double most = tangent.bound(near);
  for (int k = 0; k < market.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    if (!Staircase::is_step(choice.cell[at])) {
      continue;
    }
    const Piece step = corners[at].piece(choice.cell[at]);
    const double demand = choice.demand[k];
    const double room = std::min(demand - step.demand_low, step.demand_high - demand) -
                        kNearEnd * (step.demand_high - step.demand_low);
    if (!(room > 0.0 && most - tangent.rise(k, room) < choice.value - kNearTie)) {
      return false;
    }
  }
  return true;
}

}  // namespace kpm
