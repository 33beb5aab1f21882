#include "invariants.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "risk.hpp"

namespace fuzz {

namespace {

constexpr double kEps = 2.220446049250313e-16;
constexpr double kRelative = 1e-12;   // of a claim's range of payoffs, or of what was traded
constexpr double kInaccurate = 1e-5;  // of the same range, where the status says so
constexpr double kValue = 1e-11;      // of the notional, for a certainty equivalent

using Doubles = std::vector<double>;

/// Ends the process with the reason and the two figures unless `figure <= limit`; NaN is not.
void at_most(double figure, double limit, const char* reason) {
  if (!(figure <= limit)) {
    std::fprintf(stderr, "INVARIANT BROKEN: %s: %.17g > %.17g\n", reason, figure, limit);
    std::abort();
  }
}

void require(bool holds, const char* reason) { at_most(holds ? 0.0 : 1.0, 0.0, reason); }

void probability_vector(const Doubles& p, int states, const char* name) {
  require(p.size() == static_cast<std::size_t>(states), name);
  double total = 0.0;
  for (const double entry : p) {
    at_most(-entry, 0.0, name);
    total += entry;
  }
  at_most(std::abs(total - 1.0), 8 * kEps * std::sqrt(states) + kEps * states, name);
}

double price_of(const Book& book, std::size_t k, const Doubles& state_prices) {
  const auto row = book.payoffs.begin() + static_cast<std::ptrdiff_t>(k) * book.states;
  return std::inner_product(state_prices.begin(), state_prices.end(), row, 0.0);
}

/// Wealth in each state after trading `demand` for `revenue`.
Doubles wealth_after(const Book& book, const Doubles& demand, double revenue) {
  Doubles wealth(book.inventory);
  for (std::size_t i = 0; i < wealth.size(); ++i) {
    double paid = 0.0;
    for (std::size_t k = 0; k < demand.size(); ++k) {
      paid += demand[k] * book.payoffs[k * wealth.size() + i];
    }
    wealth[i] += revenue - paid;
  }
  return wealth;
}

double value_of(const Book& book, const Doubles& wealth) {
  return certainty_equivalent(wealth, book.prior, book.risk_aversion, book.ambiguity);
}

bool same_bits(const Doubles& one, const Doubles& other) {
  return one.size() == other.size() &&
         (one.empty() || std::memcmp(one.data(), other.data(), one.size() * sizeof(double)) == 0);
}

/// How far a claim's price may be off: more where the status says that it is inaccurate.
double price_slack(const Slack& slack, const kpm::Clearing& clearing, std::size_t claim) {
  const bool inaccurate = clearing.status == kpm::Status::kInaccurate;
  return slack.price[claim] * (inaccurate ? kInaccurate / kRelative : 1.0);
}

void check_fills(const Book& book, const Slack& slack, const kpm::Clearing& clearing) {
  Doubles net(static_cast<std::size_t>(book.claims), 0.0);
  require(clearing.fills.size() == book.claim.size(), "one fill for each order");
  for (std::size_t j = 0; j < book.claim.size(); ++j) {
    const auto k = static_cast<std::size_t>(book.claim[j]);
    const double fill = clearing.fills[j];
    at_most(-fill, 0.0, "fill not negative");
    at_most(fill, book.quantity[j], "fill within the quantity");
    const double inside = book.side[j] * (book.price[j] - clearing.claim_prices[k]);
    const double off = price_slack(slack, clearing, k);
    require(!(inside > off) || fill == book.quantity[j], "filled in full inside");
    require(!(inside < -off) || fill == 0.0, "not filled outside the limit");
    net[k] += book.side[j] * fill;
  }
  for (std::size_t k = 0; k < net.size(); ++k) {
    at_most(std::abs(net[k] - clearing.net_demand[k]), kRelative * slack.volume[k],
            "net demand = bought - sold");
  }
}

}  // namespace

Slack::Slack(const Book& book)
    : price(static_cast<std::size_t>(book.claims)), volume(price.size(), 0.0) {
  for (std::size_t j = 0; j < book.claim.size(); ++j) {
    volume[static_cast<std::size_t>(book.claim[j])] += book.quantity[j];
  }
  double notional = 0.0;
  double size = 0.0;
  for (const double money : book.inventory) {
    size = std::max(size, std::abs(money));
  }
  for (std::size_t k = 0; k < price.size(); ++k) {
    const auto row = book.payoffs.begin() + static_cast<std::ptrdiff_t>(k) * book.states;
    const auto [low, high] = std::minmax_element(row, row + book.states);
    const double largest = std::max(std::abs(*low), std::abs(*high));
    span.push_back(*high - *low);
    notional += span[k] * volume[k];
    size += largest * volume[k];
    price[k] = kRelative * (*high - *low) + 8 * kEps * largest;
  }
  scale = notional > 0.0 ? notional : 1.0;
  // Exponents of the worst case are as large as -ln q, and so is their rounding.
  const double least = *std::min_element(book.prior.begin(), book.prior.end());
  rounding = (128 - 4 * std::log(least)) * kEps * size;
}

void check_clearing(const Book& book, const Slack& slack, const kpm::Clearing& clearing) {
  probability_vector(clearing.state_prices, book.states, "state prices");
  probability_vector(clearing.support.worst_case, book.states, "worst case");
  probability_vector(clearing.support.marginal_state_prices, book.states, "marginal state prices");
  double revenue = 0.0;
  for (std::size_t k = 0; k < slack.price.size(); ++k) {
    const double price = clearing.claim_prices[k];
    at_most(std::abs(price_of(book, k, clearing.state_prices) - price),
            price_slack(slack, clearing, k), "claim prices = payoffs @ state prices");
    revenue += price * clearing.net_demand[k];
    require(clearing.cell[k] >= 0 && clearing.cell[k] < clearing.pieces[k], "pieces that exist");
  }
  check_fills(book, slack, clearing);
  at_most(std::abs(revenue - clearing.revenue), slack.rounding, "revenue = prices @ net demand");
  const Doubles wealth = wealth_after(book, clearing.net_demand, clearing.revenue);
  for (std::size_t i = 0; i < wealth.size(); ++i) {
    at_most(std::abs(wealth[i] - clearing.payoff[i]), slack.rounding, "payoff by state");
  }
  const double close = kValue * slack.scale + slack.rounding;
  at_most(std::abs(value_of(book, clearing.payoff) - clearing.certainty_equivalent), close,
          "certainty equivalent of the payoff");
  at_most(std::abs(value_of(book, book.inventory) - clearing.no_trade_equivalent), close,
          "certainty equivalent without trading");
  double traded = 0.0;
  for (std::size_t j = 0; j < book.claim.size(); ++j) {
    traded += slack.span[static_cast<std::size_t>(book.claim[j])] * clearing.fills[j];
  }
  at_most(traded > 0.0 ? std::abs(clearing.scale / traded - 1.0) : 0.0, kRelative, "the scale");
  require(clearing.scale > 0.0, "a scale");

  const double gap = clearing.upper_bound - clearing.certainty_equivalent;
  at_most(-gap, 0.0, "bound not below the value");
  if (clearing.status == kpm::Status::kOptimal) {
    at_most(gap, book.tolerance * clearing.scale, "gap of an optimal clearing");
  } else {
    require(
        clearing.status == kpm::Status::kNodeLimit || clearing.status == kpm::Status::kInaccurate,
        "a status that nothing caused");
  }
  for (const double bound : clearing.certificate.bound) {
    at_most(bound, clearing.upper_bound, "bounds of leaves within the upper bound");
  }
}

void check_bound(const Book& book, const Slack& slack, const kpm::Clearing& clearing) {
  std::vector<Doubles> trials{book.prior, clearing.support.worst_case,
                              clearing.support.marginal_state_prices};
  for (int i = 0; i < book.states; ++i) {
    trials.emplace_back(static_cast<std::size_t>(book.states), 0.0);
    trials.back()[static_cast<std::size_t>(i)] = 1.0;
  }
  for (const Doubles& state_prices : trials) {
    // Orders at the price exactly are left out on one side and filled on the other: allowed both.
    for (const bool filled : {false, true}) {
      Doubles demand(slack.price.size(), 0.0);
      for (std::size_t j = 0; j < book.claim.size(); ++j) {
        const auto k = static_cast<std::size_t>(book.claim[j]);
        const double inside = book.side[j] * (book.price[j] - price_of(book, k, state_prices));
        if (inside > 0.0 || (inside == 0.0 && filled)) {
          demand[k] += book.side[j] * book.quantity[j];
        }
      }
      double revenue = 0.0;
      for (std::size_t k = 0; k < demand.size(); ++k) {
        revenue += price_of(book, k, state_prices) * demand[k];
      }
      const double value = value_of(book, wealth_after(book, demand, revenue));
      at_most(value - clearing.upper_bound, kValue * slack.scale + slack.rounding,
              "no clearing above the bound");
    }
  }
}

void check_agreement(const Slack& slack, const kpm::Clearing& one, const kpm::Clearing& other) {
  const double close = kValue * slack.scale + slack.rounding;
  at_most(one.certainty_equivalent - other.upper_bound, close, "bound of the other search");
  at_most(other.certainty_equivalent - one.upper_bound, close, "bound of this search");
}

void check_same_bits(const kpm::Clearing& one, const kpm::Clearing& other) {
  require(one.status == other.status && one.cell == other.cell, "status and cell, threads");
  require(same_bits(one.fills, other.fills), "fills, threads");
  require(same_bits(one.state_prices, other.state_prices), "state prices, threads");
  require(same_bits(one.claim_prices, other.claim_prices), "claim prices, threads");
  require(same_bits(one.net_demand, other.net_demand), "net demand, threads");
  require(same_bits(one.payoff, other.payoff), "payoff, threads");
  require(same_bits(one.support.worst_case, other.support.worst_case), "worst case, threads");
  require(same_bits(one.support.multipliers, other.support.multipliers), "multipliers, threads");
  require(same_bits({one.certainty_equivalent, one.upper_bound, one.revenue},
                    {other.certainty_equivalent, other.upper_bound, other.revenue}),
          "value, bound and revenue, threads");
}

void check_cell(const Book& book, const Slack& slack, const kpm::CellSolution& solution,
                const kpm::Clearing& clearing) {
  if (solution.status == kpm::Status::kInfeasible) {
    return;
  }
  probability_vector(solution.state_prices, book.states, "state prices of a cell");
  if (solution.status == kpm::Status::kOptimal) {
    const double close = kValue * slack.scale + slack.rounding;
    at_most(solution.certainty_equivalent - clearing.upper_bound, 1e-9 * slack.scale + close,
            "no cell above the bound");
    at_most(solution.certainty_equivalent - solution.dual_bound, 1e-9 * slack.scale + close,
            "value of a cell within its bound");
  }
}

}  // namespace fuzz
