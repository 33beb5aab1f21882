#include "model/staircase.hpp"

#include <algorithm>

#include "model/quotes.hpp"

namespace kpm {

namespace {

Staircase compile_one(double price_min, double price_max, const Quote* begin, const Quote* end) {
  Staircase stairs;
  stairs.price_min = price_min;
  stairs.price_max = price_max;
  std::size_t limits = 0;
  for (const Quote* quote = begin; quote != end; ++quote) {
    limits += quote == begin || quote[-1].price < quote->price ? 1 : 0;
  }
  for (std::vector<double>* of_limits : {&stairs.limit, &stairs.buy, &stairs.sell}) {
    of_limits->reserve(limits);
  }
  double always_bought = 0.0;  // buys above the payoff range
  double always_sold = 0.0;    // sells below it
  for (const Quote* quote = begin; quote != end; ++quote) {
    const bool buys = quote->quantity > 0.0;
    const double quantity = buys ? quote->quantity : -quote->quantity;
    stairs.volume += quantity;
    if (quote->price < price_min) {
      always_sold += buys ? 0.0 : quantity;
    } else if (quote->price > price_max) {
      always_bought += buys ? quantity : 0.0;
    } else {
      if (stairs.limit.empty() || stairs.limit.back() < quote->price) {
        stairs.limit.push_back(quote->price);
        stairs.buy.push_back(0.0);
        stairs.sell.push_back(0.0);
      }
      (buys ? stairs.buy : stairs.sell).back() += quantity;
    }
  }

  const std::size_t n = stairs.limit.size();
  stairs.bought.assign(n + 1, always_bought);
  for (std::size_t l = n; l-- > 0;) {
    stairs.bought[l] = stairs.bought[l + 1] + stairs.buy[l];
  }
  stairs.sold.assign(n + 1, always_sold);
  for (std::size_t l = 0; l < n; ++l) {
    stairs.sold[l + 1] = stairs.sold[l] + stairs.sell[l];
  }
  stairs.demand.resize(n + 1);
  for (std::size_t l = 0; l <= n; ++l) {
    stairs.demand[l] = stairs.bought[l] - stairs.sold[l];
  }
  return stairs;
}

}  // namespace

Piece Staircase::piece(int index) const {
  const auto l = static_cast<std::size_t>(index / 2);
  if (is_step(index)) {
    return {limit[l], limit[l], demand[l + 1], demand[l]};
  }
  const double low = l == 0 ? price_min : limit[l - 1];
  const double high = l == limit.size() ? price_max : limit[l];
  return {low, high, demand[l], demand[l]};
}

std::vector<Staircase> compile_staircases(const Market& market, const Orders& orders) {
  const Quotes book(market, orders);
  std::vector<Staircase> result;
  result.reserve(static_cast<std::size_t>(market.claims));
  for (int k = 0; k < market.claims; ++k) {
    const auto at = static_cast<std::size_t>(k);
    const double* row = market.payoffs + static_cast<std::ptrdiff_t>(k) * market.states;
    const auto [low, high] = std::minmax_element(row, row + market.states);
    result.push_back(compile_one(*low, *high, book.quotes.data() + book.first[at],
                                 book.quotes.data() + book.first[at + 1]));
  }
  return result;
}

}  // namespace kpm
