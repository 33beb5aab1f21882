#include "model/staircase.hpp"

#include <algorithm>

namespace kpm {

namespace {

struct Quote {
  double price;
  double quantity;  // signed: bought minus sold
};

bool precedes(const Quote& a, const Quote& b) {
  return a.price != b.price ? a.price < b.price : a.quantity < b.quantity;
}

/// Orders grouped by claim, each group sorted by price, then signed quantity.
struct Quotes {
  Quotes(const Market& market, const Orders& orders)
      : first(static_cast<std::size_t>(market.claims) + 1, 0) {
    for (std::int64_t j = 0; j < orders.count; ++j) {
      first[static_cast<std::size_t>(orders.claim[j]) + 1] += orders.quantity[j] > 0.0 ? 1 : 0;
    }
    for (std::size_t k = 1; k < first.size(); ++k) {
      first[k] += first[k - 1];
    }
    quotes.resize(static_cast<std::size_t>(first.back()));
    std::vector<std::ptrdiff_t> next(first);
    for (std::int64_t j = 0; j < orders.count; ++j) {
      if (orders.quantity[j] > 0.0) {
        // Adding zero turns a limit of -0.0 into 0.0.
        quotes[static_cast<std::size_t>(next[static_cast<std::size_t>(orders.claim[j])]++)] = {
            orders.price[j] + 0.0, orders.side[j] > 0 ? orders.quantity[j] : -orders.quantity[j]};
      }
    }
    for (std::size_t k = 0; k + 1 < first.size(); ++k) {
      std::sort(quotes.begin() + first[k], quotes.begin() + first[k + 1], precedes);
    }
  }

  std::vector<std::ptrdiff_t> first;  // (claims + 1)
  std::vector<Quote> quotes;
};

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
