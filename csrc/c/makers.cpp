// A maker by itself: costs, prices, quotes and single orders.
#include "kpm/makers.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "error.hpp"
#include "inputs.hpp"
#include "kpm/kpm.h"
#include "kpm/validation.hpp"
#include "structs.hpp"

namespace kpm::c {

namespace {

void quote(const MakerModel& maker, const double* losses, const double* payoffs,
           std::int64_t claims, const double* quantities, std::int64_t sizes, double* bid,
           double* ask) {
  require(validate_rows(Field::kLosses, losses, 1, maker.states));
  require(validate_rows(Field::kPayoffs, payoffs, claims, maker.states));
  require(validate_blocks(quantities, claims, sizes));
  if (claims > 0) {
    maker_quotes(maker, losses, payoffs, claims, sizes > 0 ? quantities : nullptr, sizes,
                 required(bid, "bid"), required(ask, "ask"));
  }
}

/// The payoff for a side: selling a claim to the maker is buying the negated payoff.
std::vector<double> signed_payoff(const double* payoff, std::int32_t states, int side) {
  std::vector<double> row(payoff, payoff + states);
  for (double& money : row) {
    money *= side;
  }
  return row;
}

void validate_order(int side, double limit, double quantity) {
  if (side != 1 && side != -1) {
    throw Refusal("side", "must be +1 (buy) or -1 (sell)", side);
  }
  if (std::isnan(limit)) {
    throw Refusal("limit", "must be a number (infinity is allowed)", limit);
  }
  if (!(quantity >= 0.0 && quantity <= kLargest)) {
    throw Refusal("quantity", "must be between 0 and 1e+30", quantity);
  }
}

}  // namespace

}  // namespace kpm::c

extern "C" {

std::int32_t kpm_cost(const kpm_maker* maker, const double* losses, std::int64_t rows,
                      double* costs) {
  using namespace kpm::c;
  return guarded([&] {
    const kpm::MakerModel model = maker_of(maker);
    require(kpm::validate_rows(kpm::Field::kLosses, losses, rows, model.states));
    if (rows > 0) {
      kpm::maker_costs(model, losses, rows, required(costs, "costs"));
    }
  });
}

std::int32_t kpm_state_prices(const kpm_maker* maker, const double* losses, std::int64_t rows,
                              double* prices) {
  using namespace kpm::c;
  return guarded([&] {
    const kpm::MakerModel model = maker_of(maker);
    require(kpm::validate_rows(kpm::Field::kLosses, losses, rows, model.states));
    if (rows > 0) {
      kpm::maker_state_prices(model, losses, rows, required(prices, "prices"));
    }
  });
}

std::int32_t kpm_quote(const kpm_maker* maker, const double* losses, const double* payoffs,
                       std::int64_t claims, const double* quantities, std::int64_t sizes,
                       double* bid, double* ask) {
  using namespace kpm::c;
  return guarded(
      [&] { quote(maker_of(maker), losses, payoffs, claims, quantities, sizes, bid, ask); });
}

std::int32_t kpm_fill(const kpm_maker* maker, const double* losses, const double* payoff,
                      std::int32_t side, double limit, double quantity, kpm_trade* trade) {
  using namespace kpm::c;
  return guarded([&] {
    const kpm::MakerModel model = maker_of(maker);
    require(kpm::validate_rows(kpm::Field::kLosses, losses, 1, model.states));
    require(kpm::validate_rows(kpm::Field::kPayoffs, payoff, 1, model.states));
    validate_order(side, limit, quantity);
    kpm_trade own = read(static_cast<const kpm_trade*>(trade), "trade");
    const std::vector<double> row = signed_payoff(payoff, model.states, side);
    // Beyond the largest payoff a limit is a market order.
    const double most = std::min(side * limit, *std::max_element(row.begin(), row.end()));
    const kpm::MakerTrade done = kpm::maker_trade(model, losses, row.data(), most, quantity);
    own.quantity = done.quantity;
    own.cost = done.cost;
    own.first_price = side * done.first_price;
    own.last_price = side * done.last_price;
    write(own, trade);
  });
}

}  // extern "C"
