// A clearing, once, of a book in the caller's arrays into the caller's arrays.
#include <algorithm>
#include <cmath>
#include <vector>

#include "error.hpp"
#include "inputs.hpp"
#include "kpm/kpm.h"
#include "kpm/kpm.hpp"
#include "kpm/validation.hpp"
#include "results.hpp"
#include "structs.hpp"

namespace kpm::c {

namespace {

template <class T>
void copy(const std::vector<T>& from, T* to) {
  if (to != nullptr) {
    std::copy(from.begin(), from.end(), to);
  }
}

}  // namespace

std::int32_t status_of(Status status) {
  switch (status) {
    case Status::kOptimal:
      return KPM_OPTIMAL;
    case Status::kTimeLimit:
      return KPM_TIME_LIMIT;
    case Status::kNodeLimit:
      return KPM_NODE_LIMIT;
    case Status::kInterrupted:
      return KPM_INTERRUPTED;
    case Status::kInaccurate:
    case Status::kInfeasible:  // of a cell, not of a book
      break;
  }
  return KPM_INACCURATE;
}

void publish(const Clearing& clearing, kpm_result& result) {
  copy(clearing.state_prices, result.state_prices);
  copy(clearing.claim_prices, result.claim_prices);
  copy(clearing.net_demand, result.net_demand);
  copy(clearing.fills, result.fills);
  copy(clearing.payoff, result.payoff);
  copy(clearing.support.worst_case, result.worst_case);
  copy(clearing.support.marginal_state_prices, result.marginal_state_prices);
  copy(clearing.support.multipliers, result.multipliers);
  copy(clearing.cell, result.cell);
  result.certainty_equivalent = clearing.certainty_equivalent;
  result.no_trade_equivalent = clearing.no_trade_equivalent;
  result.upper_bound = clearing.upper_bound;
  result.revenue = clearing.revenue;
  result.scale = clearing.scale;
  result.ambiguity_price = clearing.support.ambiguity_price;
  result.seconds = clearing.seconds_total;
  result.nodes = clearing.progress.nodes;
  result.status = status_of(clearing.status);
  result.threads = clearing.threads;
  result.objective = clearing.certainty_equivalent;
}

void publish(const AuctionClearing& cleared, kpm_result& result) {
  publish(cleared.clearing, result);
  result.objective = cleared.objective;
}

}  // namespace kpm::c

extern "C" {

void kpm_settings_init(kpm_settings* settings, std::size_t struct_size) {
  if (settings == nullptr || struct_size < sizeof struct_size) {
    return;
  }
  const kpm::ClearSettings defaults;
  const kpm_settings own{struct_size,         defaults.tolerance, defaults.time_limit,
                         defaults.node_limit,
                         /*threads=*/1,       KPM_PRO_RATA,       nullptr,
                         /*cold=*/0,          KPM_MAKER_OPTIMAL,  0};
  std::memset(settings, 0, struct_size);
  settings->struct_size = struct_size;
  kpm::c::write(own, settings);
}

std::int32_t kpm_clear(const kpm_market* market, const kpm_orders* orders,
                       const kpm_settings* settings, kpm_result* result) {
  using namespace kpm::c;
  return guarded([&] {
    const GivenMarket book = market_of(market);
    const kpm::Orders book_orders = orders_of(orders);
    const GivenSettings how = settings_of(settings);
    require(kpm::validate_rule(book.maker.kind, how.rule));
    kpm_result own = read(static_cast<const kpm_result*>(result), "result");
    if (how.rule == KPM_MAKER_OPTIMAL) {
      publish(kpm::clear(book.market, book_orders, how.search), own);
    } else {
      if (!book.by_itself) {
        require(kpm::validate(book.market));
      }
      publish(kpm::clear_auction(book.market, book.maker, book_orders, how.auction()), own);
    }
    write(own, result);
  });
}

}  // extern "C"
