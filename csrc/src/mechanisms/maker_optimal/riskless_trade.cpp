#include "mechanisms/maker_optimal/riskless_trade.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

#include "mechanisms/levels.hpp"
#include "mechanisms/netting.hpp"
#include "numerics/checkpoint.hpp"
#include "numerics/twofold.hpp"

namespace kpm {

namespace {

constexpr double kLight = 1e-3;        // of the notional: claims that together have less stay out
constexpr double kPays = 64.0;         // the notional left must be smaller by this factor
constexpr double kDependent = 1e-12;   // of the largest payoff: a row that others imply
constexpr double kExact = 0x1p-90;     // of the largest product: what rounding leaves of zero
constexpr double kParts = 720720.0;    // divisible by 1 to 16: by the proportions of payoffs
constexpr int kDigits = 52;            // of a double
constexpr double kTwofoldStep = 30.0;  // operations on doubles: a product taken off

/// The conditions that a trade of the given claims pays the same in every state as in the first,
/// solved for as many of the claims as there are independent conditions. Throws Abandoned.
class Proportions {
 public:
  Proportions(const Market& market, const std::vector<int>& claims, Checkpoint checkpoint)
      : columns_(claims.size()),
        rows_(static_cast<std::size_t>(market.states) - 1),
        checkpoint_(checkpoint),
        free_(claims.size(), true) {
    entries_.reserve(rows_ * columns_);
    for (std::size_t i = 1; i <= rows_; ++i) {
      for (const int k : claims) {
        const double* const row = market.payoffs + static_cast<std::ptrdiff_t>(k) * market.states;
        entries_.push_back(row[i] - Twofold(row[0]));
        largest_ = std::max(largest_, std::abs(static_cast<double>(entries_.back())));
      }
    }
    eliminate();
  }

  std::size_t rank() const { return pivots_.size(); }
  bool is_free(std::size_t claim) const { return free_[claim]; }

  /// Complete a trade whose free claims are given: multiples of `grid`, where there are such.
  void complete(std::vector<double>& trade, double grid) const {
    for (std::size_t r = 0; r < pivots_.size(); ++r) {
      Twofold sum = 0.0;
      for (std::size_t c = 0; c < columns_; ++c) {
        if (is_free(c)) {
          sum -= at(r, c) * trade[c];
        }
      }
      trade[pivots_[r]] = grid * std::nearbyint(static_cast<double>(sum) / grid);
    }
  }

 private:
  Twofold& at(std::size_t r, std::size_t c) { return entries_[r * columns_ + c]; }
  const Twofold& at(std::size_t r, std::size_t c) const { return entries_[r * columns_ + c]; }

  /// Gauss and Jordan, with complete pivoting.
  void eliminate() {
    for (std::size_t r = 0; r < std::min(rows_, columns_); ++r) {
      checkpoint_.pass(kTwofoldStep * static_cast<double>(rows_ * columns_));
      std::size_t row = r;
      std::size_t column = 0;
      double most = 0.0;
      for (std::size_t i = r; i < rows_; ++i) {
        for (std::size_t c = 0; c < columns_; ++c) {
          const double size = std::abs(static_cast<double>(at(i, c)));
          if (size > most) {
            most = size;
            row = i;
            column = c;
          }
        }
      }
      if (!(most > kDependent * largest_)) {
        break;
      }
      for (std::size_t c = 0; c < columns_; ++c) {
        std::swap(at(r, c), at(row, c));
      }
      const Twofold pivot = at(r, column);
      for (std::size_t c = 0; c < columns_; ++c) {
        at(r, c) /= pivot;
      }
      for (std::size_t i = 0; i < rows_; ++i) {
        const Twofold factor = at(i, column);
        if (i == r || factor == Twofold(0.0)) {
          continue;
        }
        for (std::size_t c = 0; c < columns_; ++c) {
          at(i, c) -= factor * at(r, c);
        }
      }
      pivots_.push_back(column);
      free_[column] = false;
    }
  }

  std::size_t columns_, rows_;
  Checkpoint checkpoint_;
  std::vector<bool> free_;  // (claims)
  double largest_ = 0.0;
  std::vector<Twofold> entries_;     // (states - 1, claims)
  std::vector<std::size_t> pivots_;  // the claim of each leading row
};

double notional(const std::vector<Staircase>& stairs, std::size_t k, double demand) {
  return stairs[k].span() * std::abs(demand);
}

/// The claims that make up all but a little of the notional.
std::vector<int> heavy_claims(const std::vector<Staircase>& stairs,
                              const std::vector<double>& demand, double total) {
  std::vector<int> heavy;
  const double least = kLight * total / static_cast<double>(stairs.size());
  for (std::size_t k = 0; k < stairs.size(); ++k) {
    if (notional(stairs, k, demand[k]) > least) {
      heavy.push_back(static_cast<int>(k));
    }
  }
  return heavy;
}

bool pays_alike(const Market& market, const std::vector<double>& trade) {
  Twofold first = 0.0;
  for (int i = 0; i < market.states; ++i) {
    Twofold owed = 0.0;
    double size = 0.0;
    for (std::size_t k = 0; k < trade.size(); ++k) {
      const double payoff = market.payoffs[static_cast<std::ptrdiff_t>(k) * market.states + i];
      owed += Twofold(payoff) * trade[k];
      size = std::max(size, std::abs(payoff * trade[k]));
    }
    if (i == 0) {
      first = owed;
    }
    if (std::abs(static_cast<double>(owed - first)) > kExact * size) {
      return false;
    }
  }
  return true;
}

/// A trade that pays the same in every state; empty if there is none that leaves little of the
/// demand. Throws Abandoned.
std::vector<double> riskless_trade(const Market& market, const std::vector<Staircase>& stairs,
                                   const std::vector<double>& demand, StopToken& token) {
  double total = 0.0;
  for (std::size_t k = 0; k < stairs.size(); ++k) {
    total += notional(stairs, k, demand[k]);
  }
  if (!(total > 0.0) || !std::isfinite(total)) {
    return {};
  }
  const std::vector<int> heavy = heavy_claims(stairs, demand, total);
  const Proportions proportions(market, heavy, Checkpoint(token));
  if (proportions.rank() == heavy.size()) {
    return {};
  }
  double largest = 0.0;
  for (const int k : heavy) {
    largest = std::max(largest, std::abs(demand[static_cast<std::size_t>(k)]));
  }
  const double grid = std::ldexp(1.0, std::ilogb(largest) + 1 - kDigits);
  std::vector<double> part(heavy.size(), 0.0);
  for (std::size_t h = 0; h < heavy.size(); ++h) {
    const double wanted = demand[static_cast<std::size_t>(heavy[h])];
    if (proportions.is_free(h)) {
      part[h] = kParts * grid * std::nearbyint(wanted / (kParts * grid));
    }
  }
  proportions.complete(part, grid);
  std::vector<double> trade(stairs.size(), 0.0);
  for (std::size_t h = 0; h < heavy.size(); ++h) {
    trade[static_cast<std::size_t>(heavy[h])] = part[h];
  }
  double left = 0.0;
  for (std::size_t k = 0; k < stairs.size(); ++k) {
    left += notional(stairs, k, demand[k] - trade[k]);
  }
  return kPays * left <= total && pays_alike(market, trade) ? trade : std::vector<double>();
}

}  // namespace

std::optional<CountedBook> count_from_riskless(const Market& market,
                                               const std::vector<Staircase>& stairs,
                                               const std::vector<double>& demand,
                                               StopToken& token) {
  CountedBook book;
  try {
    book.riskless = riskless_trade(market, stairs, demand, token);
  } catch (const Abandoned&) {
    return std::nullopt;
  }
  if (book.riskless.empty()) {
    return std::nullopt;
  }
  const double giant = Levels(market, stairs).giant();
  double left = 0.0;
  book.stairs.reserve(stairs.size());
  for (std::size_t k = 0; k < stairs.size(); ++k) {
    const double traded = book.riskless[k];
    left += notional(stairs, k, demand[k] - traded);
    if (traded == 0.0) {
      book.stairs.push_back(stairs[k].copy());
      continue;
    }
    std::optional<Netting> net = count_from(stairs[k], traded, giant / stairs[k].span());
    if (!net) {
      return std::nullopt;
    }
    book.stairs.push_back(std::move(net->staircase));
  }
  std::optional<TradableBook> tradable = tradable_book(market, book.stairs, token, left);
  if (!tradable) {
    return std::nullopt;
  }
  book.tradable = std::move(*tradable);
  return book;
}

}  // namespace kpm
